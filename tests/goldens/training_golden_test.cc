// Ten steps of Adam on a whole classifier against PyTorch: initial logits, and the loss before each step.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "golden_file.h"
#include "kernels/cpu/cpu_backend.h"
#include "kernels/reference/reference_backend.h"
#include "models/classifier_network.h"
#include "tensor/operations.h"
#include "training/optimizer.h"

namespace rondo {
namespace {

struct GoldenModel {
  const char* name;
  RecurrentOptions recurrent;
};

const GoldenModel kModels[] = {
    {"rnn", {.cell = Cell::kRnn}},   {"rnn_relu", {.cell = Cell::kRnn, .nonlinearity = Nonlinearity::kRelu}},
    {"lstm", {.cell = Cell::kLstm}}, {"lstm_projected", {.cell = Cell::kLstm, .projection = 2}},
    {"gru", {.cell = Cell::kGru}},
};

class GoldenTraining {
 public:
  GoldenTraining(const GoldenModel& model, Backend& backend)
      : golden_(read_golden(std::string("training_") + model.name)),
        backend_(backend),
        packing_(golden_lengths(golden_)) {
    ClassifierOptions options{.embedding = 3, .recurrent = model.recurrent};
    options.recurrent.hidden = 4;
    options.recurrent.layers = 2;
    options.recurrent.bidirectional = true;
    options.pool = PoolKind::kFinal;
    options.embedding_dropout = options.output_dropout = 0;
    network_ = std::make_unique<ClassifierNetwork>(options, /*vocabulary=*/7, /*labels=*/3);
    for (Parameter& parameter : network_->parameters().all()) {
      const Tensor& weights = golden_.find(parameter.name);
      EXPECT_EQ(parameter.value.shape(), weights.shape()) << parameter.name;
      parameter.value = weights.clone();
    }
  }

  void check_logits() {
    Tape tape(backend_);
    const Variable logits = network_->forward(tape, ids(), packing_).logits;
    const Tensor& wanted = golden_.find("logits");
    ASSERT_EQ(logits.shape(), wanted.shape());
    for (int64_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(logits.value().at(i), wanted.at(i), 1e-5) << i;
  }

  void check_losses() {
    Optimizer optimizer(backend_, network_->parameters(), {.clip = 0});
    const Tensor& wanted = golden_.find("losses");
    for (int64_t i = 0; i < wanted.size(); ++i) {
      EXPECT_NEAR(loss_of_step(), wanted.at(i), 1e-4) << "step " << i;
      optimizer.step(1e-2);
    }
  }

 private:
  std::span<const int32_t> ids() const { return golden_.find("ids").values<int32_t>(); }

  double loss_of_step() {
    network_->parameters().clear_gradients();
    Tape tape(backend_, {.recording = true, .training = true});
    const auto labels = golden_.find("labels").values<int32_t>();
    const Variable logits = network_->forward(tape, ids(), packing_).logits;
    Tensor mean({packing_.sequences()});
    mean.fill(1.0 / static_cast<double>(packing_.sequences()));
    const Variable loss =
        weighted_sum(softmax_cross_entropy(logits, {labels.begin(), labels.end()}).losses, mean);
    tape.backward(loss);
    return loss.value().at(0);
  }

  TensorFile golden_;
  Backend& backend_;
  Packing packing_;
  std::unique_ptr<ClassifierNetwork> network_;
};

void expect_agreement(Backend& backend) {
  for (const GoldenModel& model : kModels) {
    SCOPED_TRACE(model.name);
    GoldenTraining training(model, backend);
    training.check_logits();
    training.check_losses();
  }
}

TEST(TrainingGolden, ReferenceBackendAgreesWithPyTorch) { expect_agreement(*make_reference_backend()); }
TEST(TrainingGolden, CpuBackendAgreesWithPyTorch) { expect_agreement(*make_cpu_backend(2)); }

}  // namespace
}  // namespace rondo
