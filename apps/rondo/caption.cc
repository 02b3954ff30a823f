// rondo caption: a sentence for a picture.

#include <array>
#include <span>

#include "base/errors.h"
#include "base/files.h"
#include "command_line.h"
#include "console.h"
#include "inference/caption_page.h"
#include "inference/picture_captioner.h"
#include "storage/captioner_file.h"
#include "storage/feature_file.h"
#include "tensor/device.h"
#include "text_input.h"
#include "verbs.h"

namespace rondo::app {

namespace {

struct CaptionCommand {
  CaptionOptions caption;
  std::string attention;
  std::string features;
  bool json = false;
  InferenceOptions inference;

  template <class Visitor>
  void visit(Visitor& v) {
    caption.visit(v);
    v("attention", attention,
      "page to write, such as page.html: where each word of each best caption looked; needs no network");
    v("features", features,
      "of a model that was trained with --features: safetensors [images, regions, D], instead of pictures");
    v("json", json, "print a JSON object a picture: captions, scores, tokens and attention");
    inference.visit(v);
  }
};

nlohmann::ordered_json to_json(const PictureCaption& caption, int64_t regions) {
  nlohmann::ordered_json json{{"text", caption.text},
                              {"score", caption.score},
                              {"log_probability", caption.log_probability},
                              {"tokens", caption.tokens}};
  if (!caption.ended) json["ended"] = false;
  const auto width = static_cast<size_t>(regions);
  for (size_t at = 0; at + width <= caption.attention.size(); at += width) {
    nlohmann::ordered_json row = nlohmann::ordered_json::array();
    for (size_t i = 0; i < width; ++i) row.push_back(shortest(caption.attention[at + i]));
    json["attention"].push_back(std::move(row));
  }
  return json;
}

/// Prints captions as they are found, and gathers the page.
class Printer {
 public:
  Printer(const PictureCaptioner& captioner, const CaptionCommand& options, bool named)
      : captioner_(captioner), options_(options), named_(named) {}

  void print(std::span<const std::string> names, const PictureSet& pictures) {
    const auto found = captioner_.caption(pictures, options_.caption);
    for (size_t i = 0; i < names.size(); ++i) {
      put_text(options_.json ? json_line(names[i], found[i]) : plain_lines(names[i], found[i]));
      if (options_.attention.empty()) continue;
      page_.add(names[i], read_image(names[i]), found[i].front(), captioner_.model().options().region_side());
    }
    flush_output();
  }

  void write_page() const {
    if (options_.attention.empty()) return;
    write_file(options_.attention, page_.html());
    say("saved     {}: where each word looked\n", options_.attention);
  }

 private:
  std::string json_line(const std::string& name, const std::vector<PictureCaption>& captions) const {
    nlohmann::ordered_json json{{"image", name}, {"captions", nlohmann::ordered_json::array()}};
    for (const PictureCaption& caption : captions) {
      json["captions"].push_back(to_json(caption, captioner_.model().options().num_regions()));
    }
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }

  std::string plain_lines(const std::string& name, const std::vector<PictureCaption>& captions) const {
    std::string lines;
    for (const PictureCaption& caption : captions) {
      if (named_) lines += one_line(name) + "\t";
      if (options_.caption.n_best > 1) lines += fmt::format("{:.6f}\t", caption.score);
      lines += one_line(caption.text) + "\n";
    }
    return lines;
  }

  const PictureCaptioner& captioner_;
  const CaptionCommand& options_;
  bool named_;
  CaptionPage page_;
};

void caption_features(const PictureCaptioner& captioner, const CaptionCommand& options) {
  const FeatureFile file = read_features(options.features);
  const CaptionerOptions& model = captioner.model().options();
  if (!model.given()) {
    throw_error<ConfigError>("--features: the model reads pictures; give their files instead");
  }
  if (file.regions() != model.regions || file.region_size() != model.region_size) {
    throw_error<DataError>("{}: features of {} regions of {} numbers, the model reads {} of {}", file.path,
                           file.regions(), file.region_size(), model.regions, model.region_size);
  }
  std::vector<std::string> names = file.names;
  for (int64_t i = std::ssize(names); i < file.images(); ++i) names.push_back(fmt::format("{}", i));
  Printer printer(captioner, options, names.size() > 1);
  printer.print(
      names,
      {.places = file.regions(), .columns = file.region_size(), .bytes = {}, .features = file.features});
}

// A picture that is refused costs none of those before it.
void caption_files(const PictureCaptioner& captioner, const std::vector<std::string>& paths,
                   const CaptionCommand& options) {
  Printer printer(captioner, options, paths.size() > 1);
  const auto together = static_cast<size_t>(options.caption.batch);
  for (size_t first = 0; first < paths.size(); first += together) {
    const auto block = std::span(paths).subspan(first, std::min(together, paths.size() - first));
    try {
      printer.print(block, captioner.read(block));
    } catch (const Error&) {
      for (size_t i = 0; i < block.size(); ++i)
        printer.print(block.subspan(i, 1), captioner.read(block.subspan(i, 1)));
    }
  }
  printer.write_page();
}

int caption(const std::string& path, const std::vector<std::string>& pictures, CaptionCommand options,
            const RunOptions& run) {
  options.caption.check();
  check_not_overwritten(options.attention, "attention", pictures);
  check_not_overwritten(options.attention, "attention", std::array{path});
  if (pictures.empty() == options.features.empty()) {
    throw_error<ConfigError>("{}; see rondo caption --help",
                             pictures.empty() ? "no picture; give files, JPEG or PNG"
                                              : "pictures beside --features; give one of them");
  }
  if (!options.features.empty() && !options.attention.empty()) {
    throw_error<ConfigError>("--attention draws over pictures; of --features, --json tells the weights");
  }
  const auto backend = open_device(run.device, run.threads);
  const PictureCaptioner captioner(load_captioner(path), *backend, options.inference);
  const bool attends = captioner.model().options().attends();
  options.caption.attention = !options.attention.empty() || (options.json && attends);
  if (options.features.empty()) {
    caption_files(captioner, pictures, options);
  } else {
    caption_features(captioner, options);
  }
  return 0;
}

}  // namespace

Run add_caption(CLI::App& app) {
  CLI::App* caption_app = app.add_subcommand("caption", "sentences that describe pictures");
  caption_app->footer(
      "One picture gives its caption; of several each line begins with the file's name and a tab. With\n"
      "--n-best 2 or more the score and a tab stand before a caption.\n"
      "Examples:\n"
      "  rondo caption captions.rondo picture.jpg\n"
      "  rondo caption captions.rondo *.jpg --beam 5 --n-best 3\n"
      "  rondo caption captions.rondo a.jpg b.png --attention page.html\n"
      "  rondo caption vgg-captions.rondo --features vgg.safetensors");
  auto path = std::make_shared<std::string>();
  auto pictures = std::make_shared<std::vector<std::string>>();
  auto options = std::make_shared<CaptionCommand>();
  auto run = std::make_shared<RunOptions>();
  caption_app->add_option("model", *path, "model file of a captioner")->required();
  caption_app->add_option("pictures", *pictures, "JPEG or PNG files");
  auto line = std::make_shared<CommandLine>(*caption_app);
  line->add("Captions", *options);
  line->add("Machine", *run);
  return [=] {
    line->apply();
    return caption(*path, *pictures, *options, *run);
  };
}

}  // namespace rondo::app
