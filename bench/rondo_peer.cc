// Rondo as a peer of the benchmark: see peer.h.
#include <memory>

#include "kernels/cpu/cpu_backend.h"
#include "rondo_layers.h"
#include "rondo_lesson.h"
#include "rondo_peak.h"
#include "rondo_stream.h"

namespace rondo::bench {
namespace {

using nlohmann::json;

/// Hands each case to what runs its kind.
class RondoPeer : public Peer {
 public:
  void prepare(const Case& c, const std::string& inputs) override {
    peer_ = choose(c);
    peer_->prepare(c, inputs);
  }
  void run() override { peer_->run(); }
  std::vector<float> outputs() override { return peer_->outputs(); }
  json versions() const override { return {{"backend", make_cpu_backend(1)->name()}}; }
  double peak(const std::string& precision) override { return measured_peak(precision_of(precision)); }

 private:
  static std::unique_ptr<Peer> choose(const Case& c) {
    if (c.kind == "lesson") return std::make_unique<RondoLesson>();
    if (c.streaming() && c.variant != "backend") return std::make_unique<RondoStream>();
    return std::make_unique<RondoLayers>();
  }

  std::unique_ptr<Peer> peer_;
};

}  // namespace
}  // namespace rondo::bench

int main() {
  rondo::bench::RondoPeer peer;
  return rondo::bench::serve(peer);
}
