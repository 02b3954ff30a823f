// The service's answers that come from a model.
#include <algorithm>

#include "base/options.h"
#include "serve/live_session.h"
#include "serve/refusal.h"
#include "serve/requests.h"
#include "serve/service.h"
#include "serve/strict_json.h"
#include "serve/works.h"

namespace rondo::serve {

namespace {

using OrderedJson = nlohmann::ordered_json;

// Of what a session's reader would like to see most.
constexpr size_t kSessionBest = 10;

Reply json_reply(const OrderedJson& json, int status = 200) {
  return {.status = status, .body = to_text(json) + "\n"};
}

OrderedJson results_of(const ServedModel& model) {
  return {{"model", model.name()}, {"results", OrderedJson::array()}};
}

OrderedJson to_json(const std::vector<Prediction>& predictions) {
  OrderedJson list = OrderedJson::array();
  for (const Prediction& one : predictions) {
    list.push_back({{"label", one.label}, {"probability", shortest(one.probability)}});
  }
  return {{"predictions", std::move(list)}};
}

OrderedJson probabilities_of(const TaggedSentence& sentence, const std::vector<std::string>& tags) {
  OrderedJson words = OrderedJson::array();
  for (const std::vector<float>& row : sentence.marginals) {
    OrderedJson word = OrderedJson::object();
    for (size_t k = 0; k < row.size(); ++k) word[tags[k]] = shortest(row[k]);
    words.push_back(std::move(word));
  }
  return words;
}

OrderedJson to_json(const std::vector<std::string>& words, const TaggedSentence& sentence,
                    const TaggingRequest& request, const std::vector<std::string>& tags) {
  const TagPath& best = sentence.paths.front();
  OrderedJson json{{"tokens", words}, {"tags", best.tags}, {"log_probability", best.log_probability}};
  if (request.n_best > 1) {
    json["n_best"] = OrderedJson::array();
    for (const TagPath& path : sentence.paths) {
      json["n_best"].push_back({{"tags", path.tags}, {"log_probability", path.log_probability}});
    }
  }
  if (request.marginals) json["probabilities"] = probabilities_of(sentence, tags);
  return json;
}

OrderedJson to_json(const Translation& translation, bool alignment) {
  OrderedJson json{{"text", translation.text},
                   {"score", translation.score},
                   {"log_probability", translation.log_probability}};
  if (!translation.ended) json["ended"] = false;
  if (!alignment) return json;
  json["tokens"] = translation.target_tokens;
  json["alignment"] = OrderedJson::array();
  for (const auto& [source, target] : translation.alignment) {
    json["alignment"].push_back(OrderedJson::array({source, target}));
  }
  return json;
}

std::string event(const char* name, const OrderedJson& json) {
  const std::string head = *name == 0 ? "" : fmt::format("event: {}\n", name);
  return fmt::format("{}data: {}\n\n", head, to_text(json));
}

/// A text that is being written: until its end, the deadline, or until nobody wants it.
struct Writing {
  ModelPointer model;
  GenerationRequest request;
  Prompt prompt;
  Clock::time_point deadline;
  std::shared_ptr<void> slot;  ///< the right to write
  bool late = false, gone = false;

  Generation run(const std::function<bool(std::string_view)>& take) {
    const auto write = [&](std::string_view piece) {
      late = Clock::now() >= deadline;
      gone = !late && !take(piece);
      return !late && !gone;
    };
    const TextGenerator& generator = model->get<ServedLanguageModel>().generator;
    return generator.generate(prompt, request.options, /*sample=*/0, write);
  }
  OrderedJson summary(const Generation& made) const {
    OrderedJson json{{"tokens", made.ids.size()}, {"why", name_of(made.why)}};
    if (request.options.log_probability) json["log_probability"] = made.log_probability;
    return json;
  }
};

constexpr const char* kTooLate = "the text took longer than a request may; ask for a smaller length";

Reply whole(Writing& writing, const std::function<bool()>& is_gone) {
  const Generation made = writing.run([&](std::string_view) { return !is_gone || !is_gone(); });
  if (writing.late) refuse(504, "{}", kTooLate);
  if (writing.gone) refuse(400, "the client closed its side before the text was written; keep it open");
  OrderedJson json{{"model", writing.model->name()}, {"text", made.text}};
  json.update(writing.summary(made));
  return json_reply(json);
}

void stream_events(Writing& writing, const Send& send) {
  try {
    const Generation made = writing.run([&](std::string_view piece) {
      return send(event("", {{"text", piece}}));
    });
    if (writing.gone) return;
    send(writing.late ? event("error", {{"error", {{"status", 504}, {"message", kTooLate}}}})
                      : event("done", writing.summary(made)));
  } catch (const std::exception& error) {
    send(event("error", {{"error", {{"status", 500}, {"message", error.what()}}}}));
  }
}

}  // namespace

Reply Service::list_models(const Call&) {
  OrderedJson list = OrderedJson::array();
  for (const ModelPointer& model : models_.all()) {
    OrderedJson json{{"name", model->name()},
                     {"kind", model->kind()},
                     {"parameters", model->parameters()},
                     {"sessions", model->has_sessions()}};
    if (model->kind() == "classifier") json["labels"] = model->get<Classifier>().labels();
    if (model->kind() == "tagger") json["labels"] = model->get<ServedTagger>().tagger.written();
    list.push_back(std::move(json));
  }
  return json_reply({{"models", std::move(list)}});
}

Reply Service::predict(const Call& call) {
  PredictRequest request = parse_predict_request(call.body, options_.limits);
  const ModelPointer model = models_.find(request.model, "classifier");
  const auto& classifier = model->get<Classifier>();
  const bool chosen = request.best == 0 && classifier.several_labels();
  const size_t best =
      chosen ? classifier.labels().size() : static_cast<size_t>(std::max<int64_t>(1, request.best));
  const auto work = std::make_shared<PredictWork>(model, std::move(request.texts), best);
  queue_.run(work, deadline());
  OrderedJson json = results_of(*model);
  for (std::vector<Prediction>& predictions : work->results) {
    if (chosen) {
      std::erase_if(predictions, [&](const Prediction& one) { return one.probability <= request.threshold; });
    }
    json["results"].push_back(to_json(predictions));
  }
  return json_reply(json);
}

Reply Service::tag(const Call& call) {
  TaggingRequest request = parse_tagging_request(call.body, options_.limits);
  const ModelPointer model = models_.find(request.model, "tagger");
  const auto work = std::make_shared<TaggingWork>(model, std::move(request));
  queue_.run(work, deadline());
  const std::vector<std::string>& tags = model->get<ServedTagger>().tagger.written();
  OrderedJson json = results_of(*model);
  for (size_t i = 0; i < work->results.size(); ++i) {
    json["results"].push_back(to_json(work->request.sentences[i], work->results[i], work->request, tags));
  }
  return json_reply(json);
}

Reply Service::translate(const Call& call) {
  TranslationRequest request = parse_translation_request(call.body, options_.limits);
  const ModelPointer model = models_.find(request.model, "translator");
  const auto work = std::make_shared<TranslationWork>(model, std::move(request));
  queue_.run(work, deadline());
  const bool alignment = work->request.options.alignment;
  OrderedJson json = results_of(*model);
  for (const std::vector<Translation>& found : work->results) {
    OrderedJson one{{"translations", OrderedJson::array()}};
    if (alignment) one["source_tokens"] = found.front().source_tokens;
    for (const Translation& translation : found) {
      one["translations"].push_back(to_json(translation, alignment));
    }
    json["results"].push_back(std::move(one));
  }
  return json_reply(json);
}

std::shared_ptr<void> Service::begin_generation() {
  if (generations_.fetch_add(1) >= options_.generations) {
    --generations_;
    refuse_for_now(429, "{} texts are being written, no more may be; try again later", options_.generations);
  }
  return {nullptr, [this](void*) { --generations_; }};
}

Reply Service::generate(const Call& call) {
  GenerationRequest request = parse_generation_request(call.body, options_.limits);
  request.options.sampling.check();
  const Clock::time_point end = deadline();
  ModelPointer model = models_.find(request.model, "language_model");
  std::shared_ptr<void> slot = begin_generation();
  Prompt prompt = model->get<ServedLanguageModel>().generator.read(request.prompt);
  const bool stream = request.stream;
  const auto writing = std::make_shared<Writing>(Writing{.model = std::move(model),
                                                         .request = std::move(request),
                                                         .prompt = std::move(prompt),
                                                         .deadline = end,
                                                         .slot = std::move(slot)});
  if (!stream) return whole(*writing, call.is_gone);
  Reply reply{.content_type = "text/event-stream"};
  reply.stream = [writing](const Send& send) { stream_events(*writing, send); };
  return reply;
}

Reply Service::look(const Call& call) {
  LookRequest request = parse_look_request(call.body, options_.limits);
  ModelPointer model = models_.find(request.model);
  const auto work =
      std::make_shared<LookWork>(std::move(model), std::move(request), options_.limits.max_look_bytes);
  queue_.run(work, deadline());
  return {.body = std::move(work->json) + "\n"};
}

Reply Service::session_reply(int status, const std::string& id, LiveSession& session) {
  OrderedJson json{{"id", id},
                   {"model", session.model().name()},
                   {"kind", session.model().kind()},
                   {"steps", session.steps()},
                   {"idle_s", options_.session_idle_s}};
  json.update(session.state(kSessionBest));
  return json_reply(json, status);
}

Reply Service::create_session(const Call& call) {
  const SessionRequest request = parse_session_request(call.body, options_.limits);
  const ModelPointer model = models_.find_streaming(request.model);
  sessions_.require_room();
  auto made = std::make_shared<std::unique_ptr<LiveSession>>();
  const auto work = std::make_shared<LoneWork>([made, model, text = request.text] {
    *made = open_session(model);
    (*made)->feed(text);
  });
  queue_.run(work, deadline());
  const std::string id = sessions_.add(std::move(*made));
  return session_reply(201, id, *sessions_.lease(id));
}

Reply Service::show_session(const Call& call) {
  const SessionLease lease = sessions_.lease(call.id);
  return session_reply(200, call.id, *lease);
}

Reply Service::feed_session(const Call& call) {
  const FeedRequest request = parse_feed_request(call.body, options_.limits);
  // Shared: the work may outlive this call, when it takes too long.
  const auto lease = std::make_shared<SessionLease>(sessions_.lease(call.id));
  queue_.run(std::make_shared<LoneWork>([lease, text = request.text] { (*lease)->feed(text); }), deadline());
  return session_reply(200, call.id, **lease);
}

Reply Service::fork_session(const Call& call) {
  if (!call.body.empty()) parse_strict_object(call.body);
  sessions_.require_room();
  const SessionLease lease = sessions_.lease(call.id);
  std::unique_ptr<LiveSession> fork = lease->fork();
  const std::string id = sessions_.add(std::move(fork));
  return session_reply(201, id, *sessions_.lease(id));
}

Reply Service::delete_session(const Call& call) {
  sessions_.remove(call.id);
  return {.status = 204, .content_type = "", .body = ""};
}

}  // namespace rondo::serve
