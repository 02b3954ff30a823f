#include "rondo/train.h"

#include "tensor/device.h"
#include "training/train_classifier.h"

namespace rondo {

TrainingResult train_classifier(const std::map<std::string, std::string>& options, int threads) {
  ClassifierTask task;
  const OptionList list(task);
  for (const auto& [name, value] : options) {
    list.find(name).set_text(value);
    task.transfer.chosen.push_back(name);
  }
  const auto backend = open_device("cpu", threads);
  TrainingObserver silent;
  const TrainingReport report = train_classifier(task, *backend, silent);
  return {.dev_accuracy = report.dev.accuracy, .updates = report.outcome.updates};
}

}  // namespace rondo
