// The models that a Tracer traces, one class a kind behind one interface.
#pragma once

#include <memory>
#include <string>

#include "inspect/layer_traces.h"
#include "inspect/trace.h"

namespace rondo {

class TracedModel {
 public:
  TracedModel(const ModelFile& file, std::string path, Backend& backend, const InferenceOptions& inference);
  virtual ~TracedModel() = default;

  TextTrace trace(const std::string& text, const TraceOptions& options) const;
  /// The recurrent layers of a part, or null.
  virtual const RecurrentStack* stack(const std::string& part) const = 0;

 protected:
  /// Fills everything but model, kind, precision and text.
  virtual void fill(TextTrace& trace, const TraceOptions& options) const = 0;

  /// Whether passes that record need a model of their own: its options say another precision.
  bool has_twin() const { return precision_ != own_ && precision_ != Precision::kInt8; }
  /// The file with the precision that is run in as the model's own.
  ModelFile twin_of(const ModelFile& file) const;

  const std::string& path() const { return path_; }
  Backend& backend() const { return *backend_; }
  Precision precision() const { return precision_; }
  /// Values are those of plain passes; a recording pass has the gradients.
  static TapeOptions plain() { return {.tracing = true}; }
  static TapeOptions recording() { return {.recording = true, .tracing = true}; }

 private:
  std::string kind_, path_;
  Backend* backend_;
  Precision own_, precision_;
};

std::unique_ptr<TracedModel> traced_classifier(const ModelFile& file, const std::string& path,
                                               Backend& backend, const InferenceOptions& inference);
std::unique_ptr<TracedModel> traced_language_model(const ModelFile& file, const std::string& path,
                                                   Backend& backend, const InferenceOptions& inference);
std::unique_ptr<TracedModel> traced_tagger(const ModelFile& file, const std::string& path, Backend& backend,
                                           const InferenceOptions& inference);
std::unique_ptr<TracedModel> traced_translator(const ModelFile& file, const std::string& path,
                                               Backend& backend, const InferenceOptions& inference);

/// A trace wants no gradient of a parameter, which so is never written to.
void freeze(ParameterSet& set);

/// Backward from `value` [1]; notes in the trace what it is and its value.
void run_backward(TextTrace& trace, Tape& tape, const Variable& value, std::string gradient_of);

/// The gradient that arrived at a variable; zeros where none did.
Tensor gradient_of(const Variable& variable);

/// Which step a request means. @param last  what -1 stands for.
/// @throws ConfigError unless it is 0 .. steps-1.
int64_t requested_step(const GradientRequest& request, int64_t steps, int64_t last);

/// The n best of a row of probabilities, ties to the smaller id.
std::vector<Alternative> best_alternatives(std::span<const float> probabilities, int64_t n,
                                           const Vocabulary& vocabulary);

}  // namespace rondo
