// The public class rondo::Captioner.
#include "rondo/captioner.h"

#include <algorithm>
#include <optional>

#include "base/errors.h"
#include "inference/picture_captioner.h"
#include "storage/captioner_file.h"
#include "tensor/device.h"

namespace rondo {

namespace {

CaptionOptions read_options(const Captioner::Options& options) {
  CaptionOptions chosen;
  const OptionList list(chosen);
  for (const auto& [name, value] : options) list.find(name).set_text(value);
  return chosen;
}

}  // namespace

struct Captioner::State {
  std::unique_ptr<Backend> backend;
  std::optional<PictureCaptioner> captioner;
};

Captioner::Captioner(std::shared_ptr<State> state) : state_(std::move(state)) {}
Captioner::~Captioner() = default;
Captioner::Captioner(Captioner&&) noexcept = default;
Captioner& Captioner::operator=(Captioner&&) noexcept = default;

Captioner Captioner::load(const std::string& path, int threads, const std::string& precision) {
  InferenceOptions options;
  OptionList(options).find("precision").set_text(precision);
  auto state = std::make_shared<State>();
  state->backend = open_device("cpu", threads);
  state->captioner.emplace(load_captioner(path), *state->backend, options);
  if (state->captioner->model().options().given()) {
    throw_error<ConfigError>(
        "{}: it reads regions of another network, not pictures; take rondo caption --features", path);
  }
  return Captioner(std::move(state));
}

std::string Captioner::caption(const std::string& picture, const Options& options) const {
  return caption_all({picture}, options).front();
}

std::vector<std::string> Captioner::caption_all(const std::vector<std::string>& pictures,
                                                const Options& options) const {
  const PictureCaptioner& captioner = *state_->captioner;
  std::vector<std::string> best;
  for (std::vector<PictureCaption>& found :
       captioner.caption(captioner.read(pictures), read_options(options))) {
    best.push_back(std::move(found.front().text));
  }
  return best;
}

std::vector<PictureCaption> Captioner::n_best(const std::string& picture, size_t k,
                                              const Options& options) const {
  const PictureCaptioner& captioner = *state_->captioner;
  CaptionOptions chosen = read_options(options);
  chosen.n_best = static_cast<int64_t>(k);
  chosen.beam = std::max(chosen.beam, chosen.n_best);
  chosen.attention = captioner.model().options().attends();
  const std::string one[] = {picture};
  return std::move(captioner.caption(captioner.read(one), chosen).front());
}

size_t Captioner::region_side() const {
  return static_cast<size_t>(state_->captioner->model().options().region_side());
}

size_t Captioner::parameters() const {
  return static_cast<size_t>(state_->captioner->model().network->parameters().num_values());
}

}  // namespace rondo
