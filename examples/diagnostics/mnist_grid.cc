#include "diagnostics/mnist_grid.h"

#include <algorithm>
#include <numeric>

#include "base/errors.h"
#include "diagnostics/mnist.h"
#include "layers/image_grid.h"
#include "layers/linear.h"
#include "tensor/operations.h"
#include "training/optimizer.h"
#include "training/schedule.h"

namespace rondo::diagnostics {

namespace {

constexpr int64_t kTestPictures = 200;

// Some digits, each moved by so many pixels.
struct Pictures {
  const Digits& digits;
  std::span<const int64_t> chosen;
  std::vector<int64_t> down, across;  // empty: not moved
};

// Patch by patch, picture by picture: what ImageGrid reads.
Tensor patches_of(const Pictures& pictures, int64_t patch) {
  const int64_t side = Digits::kSide / patch, images = std::ssize(pictures.chosen);
  Tensor x = Tensor::zeros({side * side * images, patch * patch});
  for (int64_t n = 0; n < images; ++n) {
    const auto at = static_cast<size_t>(n);
    const int64_t down = pictures.down.empty() ? 0 : pictures.down[at];
    const int64_t across = pictures.across.empty() ? 0 : pictures.across[at];
    for (int64_t r = 0; r < Digits::kSide; ++r) {
      for (int64_t c = 0; c < Digits::kSide; ++c) {
        const int64_t from_r = r - down, from_c = c - across;
        if (from_r < 0 || from_c < 0 || from_r >= Digits::kSide || from_c >= Digits::kSide) continue;
        const int64_t row = ((r / patch) * side + c / patch) * images + n;
        x.data<float>()[row * patch * patch + (r % patch) * patch + c % patch] =
            static_cast<float>(pictures.digits.pixel(pictures.chosen[at], from_r, from_c)) / 255;
      }
    }
  }
  return x;
}

class Network {
 public:
  explicit Network(const MnistGridOptions& options)
      : options_(options),
        side_(Digits::kSide / options.patch),
        grid_(parameters_, shape_of(options), options.corners),
        relu_(parameters_, "relu",
              {.input = side_ * side_ * grid_.shape().depth_columns(), .output = options.relu}),
        linear_(parameters_, "linear", {.input = options.relu, .output = 10}) {
    const Stream stream(static_cast<uint64_t>(options.seed), {1});
    grid_.initialize(Initialization::kTorch, options.forget_bias, stream.sub(0));
    relu_.initialize(Initialization::kTorch, stream.sub(1));
    linear_.initialize(Initialization::kTorch, stream.sub(2));
  }

  Variable logits(Tape& tape, const Pictures& pictures) const {
    const int64_t images = std::ssize(pictures.chosen);
    const Variable x = tape.input(patches_of(pictures, options_.patch));
    const Variable y = grid_.forward(tape, x, {.rows = side_, .columns = side_, .images = images});
    const Variable seen = activate(Activation::kRelu, relu_.forward(patches_side_by_side(y, images)));
    return linear_.forward(dropout(seen, options_.dropout));
  }
  ParameterSet& parameters() { return parameters_; }

 private:
  static GridShape shape_of(const MnistGridOptions& options) {
    return {.input = options.patch * options.patch,
            .hidden = options.hidden,
            .layers = options.layers,
            .along = {options.along_depth, Along::kLstm, Along::kLstm},
            .tied_layers = options.tied_layers};
  }

  MnistGridOptions options_;
  int64_t side_;
  ParameterSet parameters_;
  ImageGrid grid_;
  Linear relu_, linear_;
};

double test_error(const Network& network, const Digits& digits, Backend& backend) {
  std::vector<int64_t> all(static_cast<size_t>(digits.size()));
  std::iota(all.begin(), all.end(), 0);
  int64_t wrong = 0;
  for (size_t first = 0; first < all.size(); first += kTestPictures) {
    const size_t count = std::min<size_t>(kTestPictures, all.size() - first);
    const std::span<const int64_t> chosen = std::span(all).subspan(first, count);
    Tape tape(backend);
    const Tensor logits = network.logits(tape, {digits, chosen, {}, {}}).value();
    for (size_t n = 0; n < count; ++n) {
      const float* row = logits.data<float>() + n * 10;
      wrong += std::max_element(row, row + 10) - row != digits.labels[first + n];
    }
  }
  return static_cast<double>(wrong) / static_cast<double>(all.size());
}

// An order of the pictures for every epoch.
std::vector<int64_t> shuffled(int64_t count, const Stream& stream) {
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  for (size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[static_cast<size_t>(stream.below(i, i))]);
  }
  return order;
}

Pictures moved(const Digits& digits, std::span<const int64_t> chosen, int64_t shift, const Stream& stream) {
  Pictures pictures{.digits = digits, .chosen = chosen, .down = {}, .across = {}};
  const auto places = static_cast<uint64_t>(2 * shift + 1);
  for (size_t n = 0; n < chosen.size(); ++n) {
    pictures.down.push_back(static_cast<int64_t>(stream.below(2 * n, places)) - shift);
    pictures.across.push_back(static_cast<int64_t>(stream.below(2 * n + 1, places)) - shift);
  }
  return pictures;
}

struct Training {
  const MnistGridOptions& options;
  const Digits& digits;
  Network& network;
  Optimizer& optimizer;
  Backend& backend;
  int64_t update = 0;

  int64_t pictures() const {
    return options.pictures == 0 ? digits.size() : std::min(options.pictures, digits.size());
  }
  int64_t updates() const { return options.epochs * ((pictures() + options.batch - 1) / options.batch); }

  double epoch(int64_t number) {
    const Stream stream(static_cast<uint64_t>(options.seed), {14, static_cast<uint64_t>(number)});
    const std::vector<int64_t> order = shuffled(pictures(), stream.sub(0));
    double total = 0;
    for (size_t first = 0; first < order.size(); first += static_cast<size_t>(options.batch)) {
      const size_t count = std::min(static_cast<size_t>(options.batch), order.size() - first);
      const std::span<const int64_t> chosen = std::span(order).subspan(first, count);
      const Stream random = stream.sub(1 + first);
      total += static_cast<double>(count) * step(moved(digits, chosen, options.shift, random.sub(0)), random);
    }
    return total / static_cast<double>(order.size());
  }

  double step(const Pictures& pictures, const Stream& random) {
    network.parameters().clear_gradients();
    Tape tape(backend, {.recording = true, .training = true, .random = random.sub(1)});
    std::vector<int32_t> classes;
    for (const int64_t digit : pictures.chosen) classes.push_back(digits.labels[static_cast<size_t>(digit)]);
    Tensor weights({std::ssize(classes)});
    weights.fill(1 / static_cast<double>(classes.size()));
    const Variable losses = softmax_cross_entropy(network.logits(tape, pictures), classes).losses;
    const Variable loss = weighted_sum(losses, weights);
    const double value = loss.value().at(0);
    tape.backward(loss);
    optimizer.step(Schedule({.schedule = ScheduleKind::kCosine}).rate(options.lr, update++, updates()));
    return value;
  }
};

}  // namespace

std::vector<MnistGridPoint> run_mnist_grid(const MnistGridOptions& options, Backend& backend,
                                           const std::function<void(const MnistGridPoint&)>& tell) {
  if (Digits::kSide % options.patch != 0) {
    throw_error<ConfigError>("--patch {}: a picture has 28 pixels a side; take 1, 2, 4, 7, 14 or 28",
                             options.patch);
  }
  const Digits digits = read_digits(options.data, "train"), test = read_digits(options.data, "t10k");
  Network network(options);
  Optimizer optimizer(backend, network.parameters(), {.clip = options.clip});
  Training training{options, digits, network, optimizer, backend};
  std::vector<MnistGridPoint> curve;
  for (int64_t epoch = 1; epoch <= options.epochs; ++epoch) {
    const double loss = training.epoch(epoch);
    curve.push_back({.epoch = epoch, .loss = loss, .error = test_error(network, test, backend)});
    tell(curve.back());
  }
  return curve;
}

}  // namespace rondo::diagnostics
