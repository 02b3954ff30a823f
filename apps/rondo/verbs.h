// The verbs of the command: each file adds one to the CLI11 app and returns what runs it.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

namespace rondo::app {

/// Runs after parsing; returns the exit status.
using Run = std::function<int()>;

/// `arguments` are the words that the person typed, to print how to go on.
Run add_train(CLI::App& app, const std::vector<std::string>& arguments);
Run add_predict(CLI::App& app);
Run add_evaluate(CLI::App& app);
Run add_generate(CLI::App& app);
Run add_score(CLI::App& app);
Run add_translate(CLI::App& app);
Run add_caption(CLI::App& app);
Run add_bleu(CLI::App& app);
Run add_info(CLI::App& app);
Run add_check_gradients(CLI::App& app);
Run add_quantize(CLI::App& app);
Run add_bench(CLI::App& app);
Run add_data(CLI::App& app);
Run add_serve(CLI::App& app);
Run add_look(CLI::App& app);
Run add_unroll(CLI::App& app);
Run add_diff(CLI::App& app);
Run add_doctor(CLI::App& app);

}  // namespace rondo::app
