// rondo train classify|lm|tag|translate|caption: from a file of texts (and pictures) to a model file.

#include "command_line.h"
#include "console.h"
#include "progress.h"
#include "tensor/device.h"
#include "training/arithmetic.h"
#include "training/train_captioner.h"
#include "training/train_classifier.h"
#include "training/train_language_model.h"
#include "training/train_tagger.h"
#include "training/train_translator.h"
#include "verbs.h"

namespace rondo::app {

namespace {

// A word of the person, quoted for a shell where it needs that.
std::string quoted(const std::string& word) {
  const bool plain = !word.empty() && word.find_first_not_of(
                                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789-_./=:,+@%") == std::string::npos;
  if (plain) return word;
  std::string text = word;
  for (size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 4) text.replace(at, 1, "'\\''");
  return "'" + text + "'";
}

std::string command_text(const std::vector<std::string>& arguments) {
  std::string text = "rondo";
  for (const std::string& word : arguments) text += " " + quoted(word);
  return text;
}

std::string resume_text(std::vector<std::string> arguments) {
  std::erase_if(arguments, [](const std::string& word) { return word == "--force" || word == "--resume"; });
  arguments.emplace_back("--resume");
  return command_text(arguments);
}

struct ReportOptions {
  bool profile = false;

  template <class Visitor>
  void visit(Visitor& v) {
    v("profile", profile, "print at the end where the time went and how near to the machine's peak it came");
  }
};

void print_profile(Profile& profile, Backend& backend) {
  const Profile::Report report = profile.report();
  say("\nwhere the time went\n");
  for (const Profile::Part& part : report.parts) {
    say("  {:<18} {:>9.3f} s {:>5.1f} %\n", part.name, part.seconds, 100 * part.share);
  }
  say("  {:<18} {:>9.3f} s\n", "in all", report.seconds);
  if (report.rate == 0) return;
  const double peak = measured_peak(backend);
  say("arithmetic of forward and backward: {:.1f} GF/s, {:.0f} % of the {:.1f} GF/s that a product of "
      "96x512x512 reaches here on {} {}\n",
      report.rate / 1e9, 100 * report.rate / peak, peak / 1e9, backend.threads().threads(),
      backend.threads().threads() == 1 ? "thread" : "threads");
}

// Whether the run came to its end; if not, how to go on was said.
bool finished(const LoopOutcome& outcome, const std::string& output,
              const std::vector<std::string>& arguments) {
  if (outcome.stopped) {
    say("stopped at update {}; all of it is in {}.checkpoint. To go on:\n  {}\n", outcome.updates, output,
        resume_text(arguments));
    return false;
  }
  if (outcome.early)
    say("stopped   early, at update {}: the dev figure no longer got better (--patience)\n", outcome.updates);
  if (outcome.skipped > 0) {
    say("warning: {} updates were skipped (infinite or undefined gradients)\n", outcome.skipped);
  }
  return true;
}

TrainingFiles& run_files(TrainingFiles& files) { return files; }
TrainingFiles& run_files(TranslationFiles& files) { return files.run; }
TrainingFiles& run_files(CaptionFiles& files) { return files.run; }

void tell(const ClassifierTask& task, const TrainingReport& report) {
  // The figure that the run was steered by comes first.
  const std::string figure = report.dev.confusion.empty()
                                 ? fmt::format("micro F1 {:.4f}", report.dev.micro_f1)
                                 : fmt::format("accuracy {:.4f}", report.dev.accuracy);
  const TrainingEvaluation& best = report.outcome.best;
  say("saved     {}: dev {}, macro F1 {:.4f} (epoch {}, update {} of {})\n", task.files.output, figure,
      report.dev.macro_f1, best.epoch, best.update, report.outcome.updates);
  say("use it    rondo predict {} \"some text\"\n", quoted(task.files.output));
}

void tell(const LanguageTask& task, const LanguageReport& report) {
  const std::string& output = task.files.output;
  const TrainingEvaluation& best = report.outcome.best;
  say("saved     {}: dev loss {:.4f} nats a token, perplexity {}, {:.3f} bits a character "
      "(epoch {}, update {} of {})\n",
      output, report.dev.loss(), perplexity_text(report.dev.loss()), report.dev.bits_per_character(),
      best.epoch, best.update, report.outcome.updates);
  say("measured  on {}, in {} {}\n", report.dev_text, report.dev.pieces,
      report.dev.pieces == 1 ? "part" : "parts");
  if (task.model.recurrent.bidirectional) {
    say("use it    rondo train classify -i labelled.csv --from {} -o classifier.rondo\n", quoted(output));
  } else {
    say("use it    rondo generate {} \"The \"\n", quoted(output));
  }
}

void tell(const TaggerTask& task, const TaggerReport& report) {
  const TrainingEvaluation& best = report.outcome.best;
  const std::string spans = report.dev.spans ? fmt::format("F1 {:.4f}, ", report.dev.f1()) : "";
  say("saved     {}: dev {}accuracy {:.4f} (epoch {}, update {} of {})\n", task.files.output, spans,
      report.dev.tags.accuracy, best.epoch, best.update, report.outcome.updates);
  say("use it    rondo predict {} file.conll\n", quoted(task.files.output));
}

void tell(const TranslationTask& task, const TranslatorReport& report) {
  const std::string& output = task.files.run.output;
  const TrainingEvaluation& best = report.outcome.best;
  say("saved     {}: dev BLEU {:.2f} (greedy, 13a, cased), loss {:.4f} nats a token "
      "(epoch {}, update {} of {})\n",
      output, report.dev.bleu, report.dev.loss(), best.epoch, best.update, report.outcome.updates);
  say("measured  on {}, {} pairs\n", report.dev_text, report.dev.pairs);
  say("use it    rondo translate {} \"some text\"\n", quoted(output));
}

void tell(const CaptionTask& task, const CaptionerReport& report) {
  const std::string& output = task.files.run.output;
  const TrainingEvaluation& best = report.outcome.best;
  const CaptionScores& dev = report.dev.scores;
  say("saved     {}: dev BLEU-1 {:.2f}, BLEU-4 {:.2f} (greedy), exact {:.4f}, loss {:.4f} nats a token "
      "(epoch {}, update {} of {})\n",
      output, dev.bleu[0], dev.bleu[3], dev.exact, report.dev.loss(), best.epoch, best.update,
      report.outcome.updates);
  say("measured  on {}, {} pictures\n", report.dev_text, dev.pictures);
  say("use it    rondo caption {} {}\n", quoted(output),
      task.files.features.empty() ? "picture.jpg" : "--features FILE");
}

// What the command line of every training has. A task adds groups of its own before common() or after it.
template <class Task>
struct TrainLine {
  Task task;
  RunOptions run;
  ReportOptions report;
  CommandLine line;

  explicit TrainLine(CLI::App& app) : line(app) {
    line.add_config();
    line.add("Files", task.files);
    line.add("Data", task.corpus);
    line.add("Model", task.model);
  }
  void common() {
    if constexpr (requires { task.transfer; }) line.add("Beginning from a language model", task.transfer);
    line.add("Training", task.loop);
    line.add("Machine", run);
    line.add("Report", report);
  }
  void apply() {
    line.apply();
    if constexpr (requires { task.transfer; }) task.transfer.chosen = line.chosen();
  }
};

// Trains with its progress shown, and tells what was saved; 1 where the run was stopped.
template <class Task, class Report>
int run_training(Report (*train)(const Task&, Backend&, TrainingObserver&, Profile*), TrainLine<Task>& all,
                 const std::vector<std::string>& arguments) {
  all.apply();
  TrainingFiles& files = run_files(all.task.files);
  files.command = command_text(arguments);
  Profile profile;
  const auto backend = open_device(all.run.device, all.run.threads);
  Report report;
  {
    Progress progress;
    report = train(all.task, *backend, progress, all.report.profile ? &profile : nullptr);
  }
  if (all.report.profile) print_profile(profile, *backend);
  if (!finished(report.outcome, files.output, arguments)) return 1;
  tell(all.task, report);
  if (!files.report.empty()) say("report    {}: open it in a browser\n", files.report);
  return 0;
}

Run add_classify(CLI::App& train, const std::vector<std::string>& arguments) {
  CLI::App* classify = train.add_subcommand("classify", "texts to labels");
  classify->footer(
      "Examples:\n"
      "  rondo train classify -i news.csv -o news.rondo\n"
      "  rondo train classify -i news.csv -o news.rondo --cell gru --bidirectional --after 5e\n"
      "  rondo train classify --config recipes/lesson16/torch-lstm-packed.toml -i news.csv -o lesson.rondo");
  auto all = std::make_shared<TrainLine<ClassifierTask>>(*classify);
  all->common();
  all->line.add("Training", all->task.loss);
  return [=] { return run_training(train_classifier, *all, arguments); };
}

Run add_lm(CLI::App& train, const std::vector<std::string>& arguments) {
  CLI::App* lm = train.add_subcommand("lm", "a language model: text that continues");
  lm->footer(
      "Examples:\n"
      "  rondo train lm -i poems.txt -o poems.rondo\n"
      "  rondo train lm -i news.csv -o news.rondo --tokenizer words --min-count 3 --embedding 128\n"
      "  rondo train lm --config recipes/papers/char-rnn.toml -i poems.txt -o char.rondo");
  auto all = std::make_shared<TrainLine<LanguageTask>>(*lm);
  all->line.add("Backpropagation through time", all->task.unroll);
  all->common();
  return [=] { return run_training(train_language_model, *all, arguments); };
}

Run add_translate_training(CLI::App& train, const std::vector<std::string>& arguments) {
  CLI::App* translate = train.add_subcommand("translate", "sentences to their translations");
  translate->footer(
      "Examples:\n"
      "  rondo train translate --source train.en --target train.de -o en-de.rondo\n"
      "  rondo train translate --source pairs.tsv -o en-de.rondo --joint --tied --attention bahdanau\n"
      "  rondo train translate --config recipes/papers/multi30k.toml --source train.en --target train.de \\\n"
      "    --dev-source val.en --dev-target val.de -o en-de.rondo");
  auto all = std::make_shared<TrainLine<TranslationTask>>(*translate);
  all->line.add("Training", all->task.steps);
  all->common();
  return [=] { return run_training(train_translator, *all, arguments); };
}

Run add_caption_training(CLI::App& train, const std::vector<std::string>& arguments) {
  CLI::App* caption = train.add_subcommand("caption", "pictures to sentences that describe them");
  caption->footer(
      "Examples:\n"
      "  rondo train caption --images images --captions captions.csv -o captions.rondo\n"
      "  rondo train caption --images scenes/images --captions scenes/train.jsonl \\\n"
      "    --dev-captions scenes/dev.jsonl -o scenes.rondo --grey --attention hard\n"
      "  rondo train caption --config recipes/papers/fashion-scenes.toml --images scenes/images \\\n"
      "    --captions scenes/train.jsonl --dev-captions scenes/dev.jsonl -o scenes.rondo\n"
      "  rondo train caption --features vgg.safetensors --captions captions.csv -o captions.rondo");
  auto all = std::make_shared<TrainLine<CaptionTask>>(*caption);
  all->line.add("Training", all->task.steps);
  all->common();
  return [=] { return run_training(train_captioner, *all, arguments); };
}

Run add_tag(CLI::App& train, const std::vector<std::string>& arguments) {
  CLI::App* tag = train.add_subcommand("tag", "a tag for every word: names, parts of speech");
  tag->footer(
      "Examples:\n"
      "  rondo train tag -i train.conll -d dev.conll -o names.rondo\n"
      "  rondo train tag -i train.conllu -d dev.conllu -o upos.rondo --characters cnn\n"
      "  rondo train tag --config recipes/papers/wnut17.toml -i train.conll -d dev.conll "
      "--vectors glove.txt -o names.rondo");
  auto all = std::make_shared<TrainLine<TaggerTask>>(*tag);
  all->common();
  all->line.add("Training", all->task.measure);
  return [=] { return run_training(train_tagger, *all, arguments); };
}

}  // namespace

Run add_train(CLI::App& app, const std::vector<std::string>& arguments) {
  CLI::App* train = app.add_subcommand("train", "train a model");
  train->footer(
      "Examples:\n  rondo train classify -i news.csv -o news.rondo\n  rondo train lm -i poems.txt -o "
      "poems.rondo\n  rondo train tag -i train.conll -d dev.conll -o names.rondo\n  rondo train translate "
      "--source train.en --target train.de -o en-de.rondo\n  rondo train caption --images images --captions "
      "captions.csv -o captions.rondo");
  const Run classify = add_classify(*train, arguments);
  const Run lm = add_lm(*train, arguments);
  const Run tag = add_tag(*train, arguments);
  const Run translate = add_translate_training(*train, arguments);
  const Run caption = add_caption_training(*train, arguments);
  return [=] {
    if (train->got_subcommand("tag")) return tag();
    if (train->got_subcommand("translate")) return translate();
    if (train->got_subcommand("caption")) return caption();
    return train->got_subcommand("lm") ? lm() : classify();
  };
}

}  // namespace rondo::app
