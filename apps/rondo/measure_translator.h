// What `rondo evaluate` does with a translator.
#pragma once

#include "data/labelled.h"
#include "inference/text_translator.h"
#include "storage/model_file.h"
#include "training/translation_scores.h"

namespace rondo::app {

/// Options of `rondo evaluate` that are those of translators alone; beam search's have its names.
struct TranslatorMeasureOptions {
  std::string source, target;
  std::string source_column, target_column;
  std::string output;
  TranslateOptions translate;
  TranslationScoreOptions score;

  template <class Visitor>
  void visit(Visitor& v) {
    v("source", source, "sentences, one a line, where they stand in two files");
    v("target", target, "their translations, line by line");
    v("source-column", source_column,
      "name or number of the source's column or JSON key, of one file of pairs");
    v("target-column", target_column, "name or number of the target's column or JSON key");
    v("output", output, "file to write the translations to");
    translate.visit(v);
    score.visit(v);
  }
};

/// @param file   what the first of `paths` holds; several are an ensemble.
/// @param input  a file of pairs, or empty where --source and --target name two.
int measure_translator(const ModelFile& file, const std::vector<std::string>& paths, const std::string& input,
                       const ReadOptions& read, const TranslatorMeasureOptions& options,
                       const InferenceOptions& inference, bool json, Backend& backend);

}  // namespace rondo::app
