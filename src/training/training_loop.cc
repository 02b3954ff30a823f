#include "training/training_loop.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "base/errors.h"
#include "base/files.h"
#include "training/duration.h"

namespace rondo {

namespace {

// Names of random streams under the run's seed.
constexpr uint64_t kDropoutStream = 1;

double seconds_since(std::chrono::steady_clock::time_point moment) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - moment).count();
}

nlohmann::json to_json(const TrainingEvaluation& e) {
  nlohmann::json json{{"update", e.update},
                      {"epoch", e.epoch},
                      {"train_loss", e.train_loss},
                      {"clipped_share", e.clipped_share},
                      {"dev_loss", e.dev_loss},
                      {"dev_metric", e.dev_metric},
                      {"best", e.best}};
  if (e.averaged) json["averaged"] = true;
  return json;
}

// JSON has no infinity and no NaN: a figure that was not finite is null there.
double figure_from(const nlohmann::json& json) {
  return json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
}

TrainingEvaluation evaluation_from(const nlohmann::json& json) {
  return {.update = json.at("update"),
          .epoch = json.at("epoch"),
          .train_loss = figure_from(json.at("train_loss")),
          .clipped_share = json.value("clipped_share", 0.0),
          .dev_loss = figure_from(json.at("dev_loss")),
          .dev_metric = figure_from(json.at("dev_metric")),
          .best = json.at("best"),
          .averaged = json.value("averaged", false)};
}

// The first option in which two runs differ, for a message a person can act on; the data last, for options
// such as --min-count change it too.
void check_identity(const nlohmann::json& now, const nlohmann::json& then, const std::string& path) {
  for (const auto& [key, value] : now.items()) {
    const auto old = then.find(key);
    if (key == "data" || (old != then.end() && *old == value)) continue;
    throw_error<ConfigError>(
        "--resume: {} was made with {} {}, this run has {}; give the same, or begin anew with --force", path,
        key, old == then.end() ? "no" : old->dump(), value.dump());
  }
  if (then.value("data", nlohmann::json()) == now.at("data")) return;
  throw_error<ConfigError>(
      "--resume: {} was made from other texts than the files hold now; give the same, or begin anew "
      "with --force",
      path);
}

// Each parameter once, as float32 of its shape, and nothing else.
void check_tensors(const NamedTensors& tensors, const ParameterSet& parameters, const std::string& path) {
  for (const Parameter& parameter : parameters.all()) {
    const Tensor& value = find_tensor(tensors, parameter.name);
    if (value.shape() == parameter.value.shape() && value.type() == DType::kFloat32) continue;
    throw_error<FormatError>("{}: {} must be float32 {}, got {}; begin anew with --force", path,
                             parameter.name, to_string(parameter.value.shape()), to_string(value.shape()));
  }
  if (tensors.size() != parameters.all().size()) {
    throw_error<FormatError>("{}: {} tensors for {} parameters; begin anew with --force", path,
                             tensors.size(), parameters.all().size());
  }
}

}  // namespace

void LoopOptions::check() const {
  optimizer.check();
  schedule.check();
  averaging.check();
  Duration::parse(after);
}

nlohmann::json TrainingLoop::State::to_json() const {
  return {{"update", update},
          {"loss_sum", loss_sum},
          {"steps", steps},
          {"clipped", clipped},
          {"skipped", skipped},
          {"skipped_in_a_row", skipped_in_a_row},
          {"bad_evaluations", bad_evaluations},
          {"ended", ended},
          {"best", rondo::to_json(best)},
          {"history", history},
          {"log_position", log_position}};
}

void TrainingLoop::State::from_json(const nlohmann::json& json) {
  json.at("update").get_to(update);
  json.at("loss_sum").get_to(loss_sum);
  json.at("steps").get_to(steps);
  json.at("clipped").get_to(clipped);
  json.at("skipped").get_to(skipped);
  json.at("skipped_in_a_row").get_to(skipped_in_a_row);
  json.at("bad_evaluations").get_to(bad_evaluations);
  json.at("ended").get_to(ended);
  best = evaluation_from(json.at("best"));
  history = json.at("history");
  json.at("log_position").get_to(log_position);
  if (update < 0 || steps < 0)
    throw_error<FormatError>("the checkpoint's state is damaged: update {}", update);
}

TrainingLoop::TrainingLoop(const LoopParts& parts)
    : parts_(parts),
      optimizer_(parts.backend, parts.task.parameters(), parts.options.optimizer, parts.profile),
      averaging_(parts.backend, parts.task.parameters(), parts.options.averaging),
      schedule_(parts.options.schedule),
      per_epoch_(parts.task.updates_per_epoch()),
      updates_(Duration::parse(parts.options.after).updates(per_epoch_)) {
  if (parts_.files.resume && file_exists(checkpoint_path(parts_.files))) restore();
}

// Opened after the first checkpoint: whatever happens, a resumed run knows where its part of the log begins.
void TrainingLoop::open_logs() {
  if (!parts_.files.log.empty()) {
    log_ = std::make_unique<RunLog>(parts_.files.log);
    // A log that is shorter than it was (lost in a power failure, taken away) is no reason not to go on.
    const int64_t kept = state_.log_position;
    if (kept >= 0 && kept <= log_->position()) log_->truncate_to(kept);
  }
  if (!parts_.files.tensorboard.empty()) {
    events_ = std::make_unique<EventFile>(parts_.files.tensorboard, state_.update);
  }
}

// A report that was asked for when the run was resumed knows the evaluations before, and its curve begins
// here.
void TrainingLoop::open_page(const TrainingPlan& plan) {
  if (parts_.files.report.empty()) return;
  page_ = std::make_unique<RunPage>(parts_.files.report, parts_.files.command);
  page_->planned(plan, parts_.files.output);
  page_->restore(page_state_, state_.history);
  page_->write();
}

// A page that cannot be written costs no run.
template <class Tell>
void TrainingLoop::tell_page(Tell tell) {
  if (!page_) return;
  try {
    tell(*page_);
    page_failed_ = false;
  } catch (const IoError& error) {
    if (!page_failed_) parts_.observer.report_failed(error.what());
    page_failed_ = true;
  }
}

void TrainingLoop::restore() {
  const std::string path = checkpoint_path(parts_.files);
  const Checkpoint checkpoint = read_checkpoint(path);
  try {
    check_identity(parts_.task.identity(), checkpoint.state.at("identity"), path);
    state_.from_json(checkpoint.state.at("loop"));
    schedule_.from_json(checkpoint.state.at("schedule"));
    check_tensors(checkpoint.model.tensors, parts_.task.parameters(), path);
    if (!checkpoint.best.empty()) check_tensors(checkpoint.best, parts_.task.parameters(), path);
    for (Parameter& parameter : parts_.task.parameters().all()) {
      parameter.value = checkpoint.model.find(parameter.name);
    }
    optimizer_.restore(checkpoint.optimizer, checkpoint.state.at("optimizer_steps").get<int64_t>());
    averaging_.restore(checkpoint.state.at("averaging"), checkpoint.average);
    parts_.task.restore_state(checkpoint.task);
    page_state_ = checkpoint.state.value("page", nlohmann::json());
  } catch (const nlohmann::json::exception& error) {
    throw_error<FormatError>("{}: the checkpoint's state is damaged ({}); begin anew with --force", path,
                             error.what());
  }
  best_ = checkpoint.best;
  resumed_ = true;
}

LoopOutcome TrainingLoop::run(TrainingPlan plan) {
  plan.updates = updates_;
  plan.resumed_at = state_.update;
  if (parts_.files.resume && !resumed_) {
    plan.warnings.push_back(
        fmt::format("--resume: there is no {}; the run begins anew", checkpoint_path(parts_.files)));
  }
  const int64_t warmup = parts_.options.schedule.warmup;
  if (warmup > updates_) {
    plan.warnings.push_back(fmt::format(
        "--warmup {}: the run of {} updates ends within it, and the learning rate does not reach --lr",
        warmup, updates_));
  }
  parts_.observer.planned(plan);
  open_page(plan);
  try {
    const LoopOutcome outcome = run();
    tell_page([&](RunPage& page) { page.ended(outcome.stopped ? RunState::kStopped : RunState::kDone, ""); });
    return outcome;
  } catch (const std::exception& error) {
    tell_page([&](RunPage& page) { page.ended(RunState::kFailed, error.what()); });
    throw;
  }
}

LoopOutcome TrainingLoop::run() {
  begun_ = checkpointed_ = Clock::now();
  begun_at_ = state_.update;
  if (!resumed_) {
    if (!parts_.files.log.empty()) state_.log_position = 0;
    save_checkpoint();
  }
  open_logs();
  while (!state_.ended && state_.update < updates_) {
    step();
    if (evaluation_is_due()) evaluate();
    if (parts_.observer.stop_wanted()) {
      save_checkpoint();
      return {.stopped = true, .updates = state_.update, .skipped = state_.skipped, .best = state_.best};
    }
    const bool epoch_ends = state_.update % per_epoch_ == 0;
    if (epoch_ends || seconds_since(checkpointed_) > parts_.options.checkpoint_seconds) try_checkpoint();
  }
  if (best_.empty()) fail("no evaluation gave a finite loss");
  take_best();
  save_model();
  remove_file(checkpoint_path(parts_.files));
  return {.early = state_.update < updates_,
          .updates = state_.update,
          .skipped = state_.skipped,
          .best = state_.best};
}

void TrainingLoop::step() {
  const int64_t index = state_.update % per_epoch_;
  if (index == 0) state_.loss_sum = 0, state_.steps = 0, state_.clipped = 0;
  const double rate = schedule_.rate(parts_.options.optimizer.lr, state_.update, updates_);
  ParameterSet& parameters = parts_.task.parameters();
  parameters.clear_gradients();
  Tape tape(parts_.backend, {.recording = true,
                             .training = true,
                             .random = Stream(static_cast<uint64_t>(parts_.options.seed),
                                              {kDropoutStream, static_cast<uint64_t>(state_.update)})});
  const TrainingTask::Step step = parts_.task.step(tape, epoch(), index);
  {
    const Profile::Scope timed(parts_.profile, Profile::Section::kBackward);
    tape.backward(step.loss);
  }
  const Optimizer::StepReport report = optimizer_.step(rate * step.rate_factor);
  ++state_.update;
  if (!report.finite) return skip(step);
  if (averaging_.active()) {
    optimizer_.settle();
    averaging_.update();
  }
  state_.skipped_in_a_row = 0;
  state_.loss_sum += step.told ? *step.told : step.loss.value().at(0);
  state_.clipped += report.clipped;
  ++state_.steps;
  report_progress(step, report, rate);
}

void TrainingLoop::skip(const TrainingTask::Step& step) {
  ++state_.skipped;
  parts_.observer.skipped({state_.update, step.lines});
  tell_page([&](RunPage& page) { page.skipped(); });
  if (log_) log_->append({{"event", "skipped"}, {"update", state_.update}, {"lines", step.lines}});
  if (++state_.skipped_in_a_row < kMaxSkipped) return;
  // Before the first evaluation the present state is the last good one: a skipped update changed nothing.
  if (best_.empty() && state_.steps > 0) evaluate();
  fail(fmt::format(
      "{} updates in a row had an infinite or undefined gradient, the last one of lines {} of the input",
      kMaxSkipped, line_list(step.lines)));
}

// The checkpoint goes too: a run resumed from it would come to the same end.
void TrainingLoop::fail(const std::string& reason) {
  const bool good = !best_.empty();
  if (good) {
    take_best();
    save_model();
  }
  remove_file(checkpoint_path(parts_.files));
  throw_error<Error>(
      "training stopped at update {}: {}; {}; lower --lr, or --clip the gradients, and begin anew{}",
      state_.update, reason,
      good ? fmt::format("{} holds the best state before, of update {}", parts_.files.output,
                         state_.best.update)
           : "no state so far was good: no model was written",
      file_exists(parts_.files.output) || log_ ? " with --force" : "");
}

void TrainingLoop::report_progress(const TrainingTask::Step& step, const Optimizer::StepReport& report,
                                   double rate) {
  tokens_ += step.tokens;
  const double seconds = seconds_since(begun_);
  const double per_update = seconds / static_cast<double>(state_.update - begun_at_);
  const auto steps = static_cast<double>(state_.steps);
  const TrainingProgress progress{
      .update = state_.update,
      .updates = updates_,
      .epoch = static_cast<double>(state_.update) / static_cast<double>(per_epoch_),
      .loss = state_.loss_sum / steps,
      .step_loss = step.told ? *step.told : step.loss.value().at(0),
      .rate = rate,
      .gradient_norm = report.gradient_norm,
      .clipped = report.clipped,
      .clipped_share = static_cast<double>(state_.clipped) / steps,
      .tokens_per_second = static_cast<double>(tokens_) / seconds,
      .seconds_left = per_update * static_cast<double>(updates_ - state_.update),
      .dev_metric = best_.empty() ? TrainingProgress().dev_metric : state_.best.dev_metric};
  parts_.observer.progressed(progress);
  tell_page([&](RunPage& page) { page.progressed(progress); });
  if (state_.update % kLogEvery != 0) return;
  if (log_) {
    nlohmann::json record{{"event", "update"},
                          {"update", progress.update},
                          {"loss", progress.loss},
                          {"rate", rate},
                          {"gradient_norm", report.gradient_norm},
                          {"clipped_share", progress.clipped_share}};
    for (const auto& [name, value] : step.parts) record[name] = value;
    log_->append(record);
  }
  if (events_) {
    for (const auto& [name, value] : step.parts) events_->scalar("train/" + name, value, state_.update);
    events_->scalar("train/loss", progress.loss, state_.update);
    events_->scalar("train/gradient_norm", report.gradient_norm, state_.update);
    events_->scalar("train/rate", rate, state_.update);
  }
}

bool TrainingLoop::evaluation_is_due() const {
  const int64_t every = parts_.options.evaluate_every;
  return state_.update % (every > 0 ? every : per_epoch_) == 0 || state_.update == updates_;
}

void TrainingLoop::evaluate() {
  const TrainingEvaluation evaluation = measure();
  keep(evaluation);
  state_.history.push_back(to_json(evaluation));
  tell(evaluation);
}

TrainingEvaluation TrainingLoop::measure() {
  const Profile::Scope timed(parts_.profile, Profile::Section::kEvaluation);
  optimizer_.settle();
  const Averaging::Scope averages(averaging_);
  const TrainingTask::Dev dev = parts_.task.evaluate();
  TrainingEvaluation evaluation{
      .update = state_.update,
      .epoch = (state_.update + per_epoch_ - 1) / per_epoch_,
      .train_loss = state_.steps > 0 ? state_.loss_sum / static_cast<double>(state_.steps) : 0,
      .clipped_share =
          state_.steps > 0 ? static_cast<double>(state_.clipped) / static_cast<double>(state_.steps) : 0,
      .dev_loss = dev.loss,
      .dev_metric = dev.metric,
      .averaged = averaging_.active()};
  // Of two states with the same metric the one with the lower loss is better. A state whose loss is infinite
  // or undefined is never kept, whatever its metric.
  const TrainingEvaluation& best = state_.best;
  evaluation.best = std::isfinite(dev.loss) && (best_.empty() || dev.metric > best.dev_metric ||
                                                (dev.metric == best.dev_metric && dev.loss < best.dev_loss));
  if (evaluation.best) keep_best();
  if (page_) evaluation.gates = parts_.task.gates().shares();
  return evaluation;
}

void TrainingLoop::keep(const TrainingEvaluation& evaluation) {
  ++state_.bad_evaluations;
  if (evaluation.best) {
    state_.best = evaluation;
    state_.bad_evaluations = 0;
  }
  schedule_.report(evaluation.dev_metric);
  const bool waited = averaging_.awaited();
  averaging_.report(evaluation.dev_loss);
  // Before averaging begins a plateau is what it waits for, no reason to stop.
  if (waited) state_.bad_evaluations = 0;
  state_.ended = parts_.options.patience > 0 && state_.bad_evaluations >= parts_.options.patience;
}

void TrainingLoop::tell(const TrainingEvaluation& evaluation) {
  parts_.observer.evaluated(evaluation);
  tell_page([&](RunPage& page) { page.evaluated(to_json(evaluation), evaluation.gates); });
  if (log_) {
    nlohmann::json record = to_json(evaluation);
    record["event"] = "evaluation";
    log_->append(record);
  }
  if (events_) {
    events_->scalar("dev/loss", evaluation.dev_loss, state_.update);
    events_->scalar("dev/metric", evaluation.dev_metric, state_.update);
  }
}

void TrainingLoop::keep_best() {
  best_.clear();
  for (const Parameter& parameter : parts_.task.parameters().all()) {
    best_.emplace_back(parameter.name, parameter.value.clone());
  }
}

void TrainingLoop::take_best() {
  optimizer_.settle();
  // In place: a clone would hold a third copy of a large table.
  for (const auto& [name, value] : best_) {
    const Tensor& target = parts_.task.parameters().find(name).value;
    if (value.bytes() > 0) std::memcpy(target.raw(), value.raw(), static_cast<size_t>(value.bytes()));
  }
}

// A disk that is full for a while costs a checkpoint, not the run; the one before still stands.
void TrainingLoop::try_checkpoint() {
  try {
    save_checkpoint();
  } catch (const IoError& error) {
    checkpointed_ = Clock::now();
    parts_.observer.checkpoint_failed(error.what());
    if (log_)
      log_->append({{"event", "checkpoint_failed"}, {"update", state_.update}, {"why", error.what()}});
  }
}

void TrainingLoop::save_checkpoint() {
  const Profile::Scope timed(parts_.profile, Profile::Section::kCheckpoint);
  if (log_) {
    log_->sync();  // before the checkpoint that speaks of it
    state_.log_position = log_->position();
  }
  Checkpoint checkpoint;
  checkpoint.optimizer = optimizer_.tensors();  // settles: the parameters below are up to date
  checkpoint.model = parts_.task.pack(nlohmann::json::object());
  checkpoint.state = {{"identity", parts_.task.identity()},
                      {"loop", state_.to_json()},
                      {"schedule", schedule_.to_json()},
                      {"averaging", averaging_.to_json()},
                      {"optimizer_steps", optimizer_.steps()}};
  if (page_) checkpoint.state["page"] = page_->state();
  checkpoint.best = best_;
  checkpoint.average = averaging_.tensors();
  checkpoint.task = parts_.task.state();
  write_checkpoint(checkpoint_path(parts_.files), checkpoint);
  checkpointed_ = Clock::now();
}

nlohmann::json TrainingLoop::metrics() const {
  return {{"best", to_json(state_.best)},
          {"history", state_.history},
          {"updates", state_.update},
          {"skipped", state_.skipped}};
}

void TrainingLoop::save_model() {
  const Profile::Scope timed(parts_.profile, Profile::Section::kCheckpoint);
  write_model_file(parts_.files.output, parts_.task.pack(metrics()));
}

}  // namespace rondo
