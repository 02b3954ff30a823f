// A stream through rondo::Session, as a benchmark's peer drives it: one call a step.
#pragma once

#include <optional>

#include "peer.h"
#include "rondo/session.h"

namespace rondo::bench {

class RondoStream : public Peer {
 public:
  void prepare(const Case& c, const std::string& inputs) override;
  void run() override;
  std::vector<float> outputs() override { return outputs_; }
  nlohmann::json versions() const override { return {}; }

 private:
  Case case_;
  Inputs inputs_;
  std::vector<float> outputs_;
  std::optional<Classifier> model_;
  std::optional<Session> session_;
};

}  // namespace rondo::bench
