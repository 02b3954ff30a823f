// Handwritten digits by a Grid LSTM of three dimensions over patches: a picture seen from its four corners.
//   MnistGridPoint last = run_mnist_grid({.data = "mnist"}, *open_device("cpu"), tell).back();
// Source: Kalchbrenner, Danihelka & Graves 2015, section 4.6.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kernels/backend.h"
#include "layers/grid_options.h"

namespace rondo::diagnostics {

struct MnistGridOptions {
  std::string data = "mnist";
  int64_t patch = 4;
  int64_t hidden = 64;
  int64_t layers = 4;
  bool tied_layers = false;
  Along along_depth = Along::kLstm;
  bool corners = true;
  int64_t relu = 1024;
  double dropout = 0.5;
  int64_t shift = 2;
  int64_t epochs = 15;
  int64_t batch = 64;
  double lr = 1e-3;
  double clip = 1;
  double forget_bias = 1;
  int64_t pictures = 0;
  int64_t seed = 1;

  template <class Visitor>
  void visit(Visitor& v) {
    v("data", data, "folder of the idx files of mnist");
    v("patch", patch, "pixels of a side of the patches: 1, 2, 4, 7, 14 or 28", Range{1, 28});
    v("hidden", hidden, "units of each dimension", Range{1, 65536});
    v("layers", layers, "layers of the grid", Range{1, 64});
    v("tied-layers", tied_layers, "all layers share one set of weights");
    v("along-depth", along_depth, "what carries the states from layer to layer (not none)");
    v("corners", corners, "layers begin at the four corners in turn");
    v("relu", relu, "units of the layer over all patches", Range{1, 65536});
    v("dropout", dropout, "share of these units dropped", Range{0, 0.99});
    v("shift", shift, "training pictures are moved by up to so many pixels, down and across", Range{0, 14});
    v("epochs", epochs, "times that all pictures are read", Range{1, 1e6});
    v("batch", batch, "pictures an update", Range{1, 1e6});
    v("lr", lr, "learning rate of Adam, falling by cosine", Range{0, 1e3});
    v("clip", clip, "norm above which gradients are scaled down; 0: never", Range{0, 1e9});
    v("forget-bias", forget_bias, "initial forget bias", Range{-100, 100});
    v("pictures", pictures, "training pictures; 0: all", Range{0, 1e9});
    v("seed", seed, "of weights, order and shifts", Range{0, 9e15});
  }
};

struct MnistGridPoint {
  int64_t epoch = 0;
  double loss = 0;   ///< mean of the epoch's training losses
  double error = 0;  ///< share of the test pictures named wrongly
};

/// @throws ConfigError for patches that do not fill a picture; DataError; IoError.  @return a point an epoch.
std::vector<MnistGridPoint> run_mnist_grid(const MnistGridOptions& options, Backend& backend,
                                           const std::function<void(const MnistGridPoint&)>& tell);

}  // namespace rondo::diagnostics
