// Rondo as a peer of the benchmark: see peer.h.
#include <memory>

#include "kernels/cpu/cpu_backend.h"
#include "rondo_layers.h"
#include "rondo_lesson.h"
#include "rondo_peak.h"

namespace rondo::bench {
namespace {

using nlohmann::json;

/// Hands each case to what runs its kind.
class RondoPeer : public Peer {
 public:
  void prepare(const Case& c, const std::string& inputs) override {
    peer_ = c.kind == "lesson" ? std::unique_ptr<Peer>(std::make_unique<RondoLesson>())
                               : std::make_unique<RondoLayers>();
    peer_->prepare(c, inputs);
  }
  void run() override { peer_->run(); }
  std::vector<float> outputs() override { return peer_->outputs(); }
  json versions() const override { return {{"backend", make_cpu_backend(1)->name()}}; }
  double peak(const std::string& precision) override { return measured_peak(precision_of(precision)); }

 private:
  std::unique_ptr<Peer> peer_;
};

}  // namespace
}  // namespace rondo::bench

int main() {
  rondo::bench::RondoPeer peer;
  return rondo::bench::serve(peer);
}
