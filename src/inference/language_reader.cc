#include "inference/language_reader.h"

#include <algorithm>

namespace rondo {

namespace {

// The table of all tokens' inputs: up to here a step multiplies the state alone.
constexpr int64_t kTableBytes = int64_t{64} << 20;

}  // namespace

std::shared_ptr<const PreparedStack> prepare_stack(const LanguageModel& model, Backend& backend,
                                                   Precision precision) {
  const RecurrentStack& stack = model.network->recurrent();
  const Tensor& tokens = model.network->embedding().table().value;
  const bool table = stack.table_bytes(tokens.dim(0)) <= kTableBytes;
  return std::make_shared<PreparedStack>(
      stack.prepare(backend, precision, table ? tokens : Tensor(), /*streams=*/true));
}

PreparedReader prepare_reader(const LanguageModel& model, Backend& backend, Precision precision) {
  return {.stack = prepare_stack(model, backend, precision),
          .output = std::make_shared<OutputWeights>(*model.network)};
}

LanguageReader::LanguageReader(const LanguageModel& model, Backend& backend, const PreparedReader& prepared)
    : end_(model.end()),
      stream_(model.network->recurrent(), model.network->embedding().table().value, backend, prepared.stack),
      output_(prepared.output, backend) {
  reset();
}

void LanguageReader::reset() {
  stream_.reset();
  read(std::span(&end_, 1));
}

void LanguageReader::read(std::span<const int32_t> ids) {
  while (!ids.empty()) {
    const size_t count = std::min<size_t>(ids.size(), RecurrentStream::kMostSteps);
    stream_.read(ids.first(count));
    ids = ids.subspan(count);
  }
}

}  // namespace rondo
