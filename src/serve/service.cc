#include "serve/service.h"

#include <nlohmann/json.hpp>

#include "inspect/look_page.h"
#include "serve/assets.h"
#include "serve/refusal.h"
#include "serve/strict_json.h"

namespace rondo::serve {

namespace {

Clock::duration seconds(double count) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(count));
}

// Part by part; {id} takes any that is not empty.
bool fits(std::string_view pattern, std::string_view path, std::string& id) {
  const size_t open = pattern.find("{id}");
  if (open == std::string_view::npos) return pattern == path;
  const std::string_view before = pattern.substr(0, open), after = pattern.substr(open + 4);
  if (path.size() <= before.size() + after.size() || !path.starts_with(before) || !path.ends_with(after)) {
    return false;
  }
  const std::string_view middle = path.substr(before.size(), path.size() - before.size() - after.size());
  constexpr size_t kLongestId = 64;
  if (middle.size() > kLongestId || middle.find('/') != std::string_view::npos) return false;
  id = middle;
  return true;
}

// Every byte is looked at, whatever the ones before were: how long it takes tells nothing of the token.
bool same_in_constant_time(std::string_view given, std::string_view wanted) {
  volatile unsigned differs = given.size() == wanted.size() ? 0 : 1;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const char other = given.empty() ? '\0' : given[i % given.size()];
    differs = differs | static_cast<unsigned char>(wanted[i] ^ other);
  }
  return differs == 0;
}

void put_in(std::string& text, std::string_view name, std::string_view part) {
  text.replace(text.find(name), name.size(), part);
}

}  // namespace

Reply error_reply(int status, std::string_view message, int retry_after_s) {
  Reply reply{.status = status};
  reply.body = to_text(nlohmann::ordered_json{{"error", {{"status", status}, {"message", message}}}}) + "\n";
  if (retry_after_s > 0) reply.headers.emplace_back("Retry-After", std::to_string(retry_after_s));
  return reply;
}

Service::Service(const std::vector<std::string>& paths, const ServiceOptions& options)
    : options_(options),
      models_(paths, options.name, options.inference),
      sessions_(static_cast<size_t>(options.sessions), seconds(options.session_idle_s)),
      queue_(options.queue,
             [this](size_t requests, size_t texts) { metrics_.count_batch(requests, texts); }) {}

std::span<const Route> Service::routes() {
  static const Route table[] = {
      {"GET", "/", true, false, &Service::page},
      {"GET", "/openapi.json", true, false, &Service::openapi},
      {"GET", "/health", true, false, &Service::health},
      {"GET", "/metrics", false, false, &Service::metrics_text},
      {"GET", "/v1/models", false, false, &Service::list_models},
      {"POST", "/v1/predict", false, true, &Service::predict},
      {"POST", "/v1/tag", false, true, &Service::tag},
      {"POST", "/v1/translate", false, true, &Service::translate},
      {"POST", "/v1/generate", false, true, &Service::generate},
      {"POST", "/v1/look", false, true, &Service::look},
      {"POST", "/v1/sessions", false, true, &Service::create_session},
      {"GET", "/v1/sessions/{id}", false, false, &Service::show_session},
      {"DELETE", "/v1/sessions/{id}", false, false, &Service::delete_session},
      {"POST", "/v1/sessions/{id}/feed", false, true, &Service::feed_session},
      {"POST", "/v1/sessions/{id}/fork", false, true, &Service::fork_session},
  };
  return table;
}

Match Service::find(std::string_view method, std::string_view path) {
  if (method == "HEAD") method = "GET";
  Match match;
  std::string allowed;
  for (const Route& route : routes()) {
    if (!fits(route.path, path, match.id)) continue;
    if (method == route.method) {
      match.route = &route;
      return match;
    }
    allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
  }
  if (allowed.empty()) {
    match.refusal = error_reply(404, "there is nothing here; /openapi.json lists what there is");
  } else {
    match.refusal = error_reply(405, fmt::format("this takes {}", allowed));
    match.refusal.headers.emplace_back("Allow", allowed);
  }
  return match;
}

bool Service::is_allowed(std::string_view authorization) const {
  if (options_.token.empty()) return true;
  constexpr std::string_view kScheme = "Bearer ";
  if (!authorization.starts_with(kScheme)) return false;
  return same_in_constant_time(authorization.substr(kScheme.size()), options_.token);
}

Reply Service::answer(const Route& route, const Call& call) {
  try {
    return (this->*route.answer)(call);
  } catch (const Refusal& refusal) {
    return error_reply(refusal.status(), refusal.what(), refusal.retry_after_s());
  } catch (const ConfigError& error) {
    return error_reply(400, error.what());
  } catch (const DataError& error) {
    return error_reply(422, error.what());
  } catch (const std::bad_alloc&) {
    return error_reply(503, "out of memory; try again later, or with less text", 1);
  } catch (const std::exception& error) {
    return error_reply(500, error.what());
  }
}

std::vector<std::string> Service::reload() {
  std::vector<std::string> failures = models_.reload();
  metrics_.count_reload(failures.size());
  return failures;
}

Clock::time_point Service::deadline() const { return Clock::now() + seconds(options_.timeout_s); }

Reply Service::page(const Call&) {
  static const std::string page = [] {
    std::string text(playground_html());
    put_in(text, "{{look_style}}", look_style());
    put_in(text, "{{look_script}}", look_script());
    return text;
  }();
  // The page loads nothing and talks to nobody but this server.
  return {.content_type = "text/html; charset=utf-8",
          .body = page,
          .headers = {{"Content-Security-Policy",
                       "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
                       "connect-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'"}}};
}

Reply Service::openapi(const Call&) { return {.body = std::string(openapi_json())}; }

Reply Service::health(const Call&) {
  return {.body = to_text(nlohmann::ordered_json{{"status", "ok"}, {"models", models_.all().size()}}) + "\n"};
}

Reply Service::metrics_text(const Call&) {
  const Gauges gauges{.waiting = queue_.waiting(),
                      .generations = static_cast<size_t>(std::max<int64_t>(0, generations_)),
                      .sessions = sessions_.size(),
                      .connections = connections,
                      .models = models_.all()};
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = metrics_.text(gauges)};
}

}  // namespace rondo::serve
