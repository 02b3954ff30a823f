#include "peer.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <stdexcept>

namespace rondo::bench {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::json;

double seconds_of(Peer& peer, int64_t calls) {
  const auto begin = Clock::now();
  for (int64_t i = 0; i < calls; ++i) peer.run();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// How many calls fill `seconds`; the last trial has warmed the caches up as well.
int64_t calls_that_fill(Peer& peer, double seconds) {
  int64_t calls = 1;
  double took = seconds_of(peer, calls);
  while (took < seconds / 8 && calls < (1LL << 40)) took = seconds_of(peer, calls *= 2);
  const double wanted = static_cast<double>(calls) * seconds / took;
  return std::max<int64_t>(1, static_cast<int64_t>(wanted));
}

class Server {
 public:
  explicit Server(Peer& peer) : peer_(peer) {}

  json answer(const json& request) {
    const auto wanted = request.at("do").get<std::string>();
    if (wanted == "prepare") return prepare(request);
    if (wanted == "check") return check(request);
    if (wanted == "time") return time(request.at("seconds"));
    if (wanted == "versions") return {{"ok", true}, {"versions", peer_.versions()}};
    if (wanted == "peak") return {{"ok", true}, {"peak", peer_.peak(request.at("precision"))}};
    throw std::runtime_error("no request " + wanted);
  }

 private:
  json prepare(const json& request) {
    calls_ = 0;
    peer_.prepare(read_case(request.at("case")), request.at("inputs"));
    return {{"ok", true}};
  }
  json check(const json& request) {
    peer_.run();
    write_floats(request.at("outputs"), peer_.outputs());
    return {{"ok", true}};
  }
  json time(double seconds) {
    if (calls_ == 0) {
      calls_ = calls_that_fill(peer_, seconds);
    } else if (calls_ > 1) {
      peer_.run();  // the other peers have emptied the caches
    }
    return {{"ok", true},
            {"seconds", seconds_of(peer_, calls_) / static_cast<double>(calls_)},
            {"calls", calls_}};
  }

  Peer& peer_;
  int64_t calls_ = 0;
};

}  // namespace

double Peer::peak(const std::string&) { return 0; }

Case read_case(const json& j) {
  Case c{.name = j.at("name"),
         .kind = j.at("kind"),
         .cell = j.at("cell"),
         .mode = j.at("mode"),
         .precision = j.at("precision"),
         .variant = j.at("variant"),
         .hidden = j.at("hidden"),
         .input = j.at("input"),
         .batch = j.at("batch"),
         .steps = j.at("steps"),
         .layers = j.at("layers"),
         .directions = j.at("directions"),
         .vocabulary = j.at("vocabulary"),
         .classes = j.at("classes"),
         .lengths = j.at("lengths"),
         .threads = j.at("threads")};
  return c;
}

std::vector<float> read_floats(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) throw std::runtime_error("cannot open " + path);
  std::vector<float> values(static_cast<size_t>(file.tellg()) / sizeof(float));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(values.data()),
            static_cast<std::streamsize>(values.size() * sizeof(float)));
  if (!file) throw std::runtime_error("cannot read " + path);
  return values;
}

void write_floats(const std::string& path, std::span<const float> values) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size_bytes()));
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

std::vector<Weights> lay_out_weights(const Case& c, float* values) {
  std::vector<Weights> weights;
  for (int64_t layer = 0; layer < c.layers; ++layer) {
    for (int64_t direction = 0; direction < c.directions; ++direction) {
      const int64_t rows = c.gates() * c.hidden;
      Weights w{.w_ih = values};
      w.w_hh = w.w_ih + rows * c.input_of(layer);
      w.b_ih = w.w_hh + rows * c.hidden;
      w.b_hh = w.b_ih + rows;
      values += c.weights_of(layer);
      weights.push_back(w);
    }
  }
  return weights;
}

Inputs read_inputs(const Case& c, const std::string& path) {
  Inputs inputs{.values = read_floats(path)};
  inputs.weights = lay_out_weights(c, inputs.values.data());
  const Weights& last = inputs.weights.back();
  inputs.x = last.b_hh + c.gates() * c.hidden;
  inputs.d_y = inputs.x + c.steps * c.batch * c.input;
  const float* end = inputs.d_y + c.steps * c.batch * c.output();
  if (end != inputs.values.data() + inputs.values.size()) {
    throw std::runtime_error(path + ": not the inputs of " + c.name);
  }
  return inputs;
}

int serve(Peer& peer) {
  Server server(peer);
  std::string line;
  while (std::getline(std::cin, line)) {
    json reply;
    try {
      reply = server.answer(json::parse(line));
    } catch (const std::exception& error) {
      reply = {{"ok", false}, {"why", error.what()}};
    }
    std::cout << reply.dump() << std::endl;
  }
  return 0;
}

}  // namespace rondo::bench
