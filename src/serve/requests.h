// What clients ask for, from the bytes of a body.
//   PredictRequest request = parse_predict_request(body, limits);   // request.texts, request.best
// A field has the name of the command's option, with _ for -. Pure functions: bytes in, a struct or a Refusal
// out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "inference/text_generator.h"
#include "inference/text_translator.h"
#include "serve/refusal.h"
#include "serve/serve_options.h"

namespace rondo::serve {

/// {"text": "..."} or {"texts": ["...", ...]}: labels for each.
struct PredictRequest {
  std::string model;  ///< by name; empty: the only one of its kind
  std::vector<std::string> texts;
  int64_t best = 0;
  double threshold = 0.5;

  template <class Visitor>
  void visit(Visitor& v) {
    v("model", model, "name of the model; may be left out where there is one of the kind");
    v("best", best, "labels a text; 0: one, or all above the threshold where texts have several",
      Range{0, 1e9});
    v("threshold", threshold, "probability above which one of several labels holds", Range{0, 1});
  }
};

/// The same, or {"words": [...]} or {"sentences": [[...], ...]}: a tag for every word.
struct TaggingRequest {
  std::string model;
  std::vector<std::vector<std::string>> sentences;
  int64_t n_best = 1;
  bool marginals = false;

  template <class Visitor>
  void visit(Visitor& v) {
    v("model", model, "name of the model; may be left out where there is one of the kind");
    v("n-best", n_best, "sequences of tags of each sentence, the best first", Range{1, 1000});
    v("marginals", marginals, "the probability of every tag of every word");
  }
};

/// {"text"} or {"texts"}: translations of each.
struct TranslationRequest {
  std::string model;
  std::vector<std::string> texts;
  TranslateOptions options;

  template <class Visitor>
  void visit(Visitor& v) {
    v("model", model, "name of the model; may be left out where there is one of the kind");
    v("beam", options.search.beam, "hypotheses that are followed", Range{1, 1000});
    v("n-best", options.search.n_best, "translations of each text", Range{1, 1000});
    v("alpha", options.search.alpha, "length normalisation", Range{0, 10});
    v("coverage", options.search.coverage, "weight of the coverage penalty", Range{0, 100});
    v("replace-unknown", options.replace_unknown, "an unknown word becomes the source's");
    v("alignment", options.alignment, "tokens and which source token each looked at");
  }
};

/// {"prompt": "..."}: text that goes on from it.
struct GenerationRequest {
  std::string model;
  std::string prompt;
  bool stream = false;
  GenerateOptions options;

  template <class Visitor>
  void visit(Visitor& v) {
    v("model", model, "name of the model; may be left out where there is one of the kind");
    v("prompt", prompt, "text to go on from; empty: a new document");
    v("stream", stream, "send each piece as it is written, as server-sent events");
    v("stop", options.stop, "strings that end the text");
    v("log-probability", options.log_probability, "of the written tokens");
    options.visit(v);
  }
};

/// What a model does with a text, gate by gate: {"model", "text", "gradient", "units"}.
struct LookRequest {
  std::string model;
  std::string text;
  bool gradient = false;
  int64_t units = 0;

  template <class Visitor>
  void visit(Visitor& v) {
    v("model", model, "name of the model; may be left out where there is one");
    v("text", text, "what it reads");
    v("gradient", gradient, "the gradient of the best output at every step, too");
    v("units", units, "most units of each layer, those that vary most along the text; 0: all that fit",
      Range{0, 1e9});
  }
};

/// A new session: {"model", "text"}.
struct SessionRequest {
  std::string model;
  std::string text;

  template <class Visitor>
  void visit(Visitor& v) {
    v("model", model, "name of the model; may be left out where there is one that has sessions");
    v("text", text, "what it reads first");
  }
};

/// A piece of text for a session: {"text"}.
struct FeedRequest {
  std::string text;

  template <class Visitor>
  void visit(Visitor& v) {
    v("text", text, "what it reads on");
  }
};

/// All of them. @throws Refusal: 400 for what is no JSON or has an unknown field or a wrong value; 422 above
/// a limit.
PredictRequest parse_predict_request(std::string_view body, const RequestLimits& limits);
TaggingRequest parse_tagging_request(std::string_view body, const RequestLimits& limits);
TranslationRequest parse_translation_request(std::string_view body, const RequestLimits& limits);
GenerationRequest parse_generation_request(std::string_view body, const RequestLimits& limits);
LookRequest parse_look_request(std::string_view body, const RequestLimits& limits);
SessionRequest parse_session_request(std::string_view body, const RequestLimits& limits);
FeedRequest parse_feed_request(std::string_view body, const RequestLimits& limits);

}  // namespace rondo::serve
