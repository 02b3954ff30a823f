// A recurrent stack on Rondo's CPU backend, as a benchmark's peer drives it.
#pragma once

#include <memory>

#include "kernels/backend.h"
#include "peer.h"
#include "precision.h"
#include "tensor/packing.h"

namespace rondo::bench {

Cell cell_of(const std::string& name);

class RondoLayers : public Peer {
 public:
  void prepare(const Case& c, const std::string& inputs) override;
  void run() override;
  std::vector<float> outputs() override;
  nlohmann::json versions() const override { return {}; }

 private:
  /// What the passes of one layer read and write, all directions of it.
  struct Layer {
    std::vector<float> y, h_n, c_n, gates, cells, d_y;
    std::vector<std::unique_ptr<PackedRecurrent>> packed;  ///< of each direction; for inference
    std::vector<RecurrentDirection> forward;
    std::vector<RecurrentDirectionBackward> backward;
    ConstMatrix x;
    Matrix d_x;
  };

  void allocate(Layer& layer) const;
  void add_direction(int64_t layer, int64_t direction);
  void forward();
  void backward();
  void stream();
  Matrix rows_of(std::vector<float>& values) const;
  std::vector<float> to_packed(const float* padded, int64_t columns) const;
  void append_padded(const std::vector<float>& packed, int64_t columns, std::vector<float>& out) const;

  Case case_;
  CellKind kind_;
  Precision precision_ = Precision::kFloat32;
  Inputs inputs_;
  Packing packing_;
  std::unique_ptr<Backend> backend_;
  std::vector<float> x_, d_x_, gradients_, streamed_;
  std::vector<Weights> d_weights_;
  std::vector<Layer> layers_;
};

}  // namespace rondo::bench
