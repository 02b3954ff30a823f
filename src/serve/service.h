// What the server answers, without the sockets: a call in, a reply out.
//   Service service({"news.rondo"}, options);
//   const Match match = Service::find("POST", "/v1/predict");
//   Reply reply = service.answer(*match.route, {.body = R"({"text": "a goal"})"});
#pragma once

#include <atomic>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "serve/metrics.h"
#include "serve/models.h"
#include "serve/session_store.h"
#include "serve/work_queue.h"

namespace rondo::serve {

/// A request that was read whole.
struct Call {
  std::string id;  ///< what stands in the path's {id}
  std::string body;
  std::function<bool()> is_gone = {};  ///< whether the client hung up, where that can be known
};

/// Sends a piece of an answer; false: nobody reads it any more.
using Send = std::function<bool(std::string_view)>;

struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};
  /// Where set: sends the body piece by piece instead, and never throws.
  std::function<void(const Send&)> stream = {};
};

/// {"error": {"status": 422, "message": "..."}}
Reply error_reply(int status, std::string_view message, int retry_after_s = 0);

class Service;

struct Route {
  const char* method;
  const char* path;  ///< {id} stands for any one part
  bool open;         ///< needs no token
  bool takes_body;
  Reply (Service::*answer)(const Call&);
};

/// The route, or why there is none: a reply of 404, or of 405 with the methods that there are.
struct Match {
  const Route* route = nullptr;
  std::string id = {};
  Reply refusal = {};
};

class Service {
 public:
  /// @throws as Models.
  Service(const std::vector<std::string>& paths, const ServiceOptions& options);

  static std::span<const Route> routes();
  static Match find(std::string_view method, std::string_view path);

  /// Whether this is the header `Authorization: Bearer TOKEN`, or no token is needed. In constant time.
  bool is_allowed(std::string_view authorization) const;
  /// Never throws but std::bad_alloc: what goes wrong is a reply.
  Reply answer(const Route& route, const Call& call);

  /// Loads the models anew; messages of those that failed, whose old model stays.
  std::vector<std::string> reload();

  const ServiceOptions& options() const { return options_; }
  Models& models() { return models_; }
  Metrics& metrics() { return metrics_; }
  SessionStore& sessions() { return sessions_; }
  /// Kept by whoever has the sockets.
  std::atomic<size_t> connections = 0;

 private:
  Reply page(const Call& call);
  Reply openapi(const Call& call);
  Reply health(const Call& call);
  Reply metrics_text(const Call& call);
  Reply list_models(const Call& call);
  Reply predict(const Call& call);
  Reply tag(const Call& call);
  Reply translate(const Call& call);
  Reply generate(const Call& call);
  Reply look(const Call& call);
  Reply create_session(const Call& call);
  Reply show_session(const Call& call);
  Reply feed_session(const Call& call);
  Reply fork_session(const Call& call);
  Reply delete_session(const Call& call);

  Clock::time_point deadline() const;
  Reply session_reply(int status, const std::string& id, LiveSession& session);
  std::shared_ptr<void> begin_generation();

  ServiceOptions options_;
  Models models_;
  Metrics metrics_;
  SessionStore sessions_;
  std::atomic<int64_t> generations_ = 0;
  WorkQueue queue_;  // last: what runs in it uses the others
};

}  // namespace rondo::serve
