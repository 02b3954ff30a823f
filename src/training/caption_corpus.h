// What a captioner learns from: pictures read, captions cut into tokens, split and numbered.
//   CaptionData data = read_caption_data(task, threads);   // task.model knows --features afterwards
//   data.train.size();  data.pictures.size();
#pragma once

#include <string>
#include <vector>

#include "base/threads.h"
#include "models/caption_batch.h"
#include "models/captioner_model.h"
#include "storage/feature_file.h"
#include "training/caption_options.h"

namespace rondo {

struct CaptionData {
  TextCoder text;
  PictureSet pictures;                                   ///< of train, then of dev
  std::vector<std::string> names;                        ///< of the pictures
  std::vector<CaptionIds> train, dev;                    ///< captions of a picture together
  std::vector<int64_t> lines;                            ///< of the training captions
  std::vector<std::vector<std::string>> dev_references;  ///< captions of each dev picture
  std::vector<int32_t> dev_pictures;                     ///< their numbers
  std::string format, dev_description;
  double unknown_share = 0;  ///< of the dev tokens
  std::vector<std::string> warnings;
};

/// Reads captions and pictures (or the features), builds the vocabulary and holds dev pictures out.
/// @param task  is told the size of features.
/// @throws DataError, IoError, ConfigError, FormatError as the files and options are.
CaptionData read_caption_data(CaptionTask& task, ThreadPool& threads);

/// Where the pictures that captions speak of stand.
std::vector<std::string> picture_paths(const CaptionCorpus& corpus, const std::string& folder);

/// The pictures that captions speak of, out of a folder. @throws DataError that names the first that is
/// missing, with the line of its caption, and how many are.
PictureSet pictures_of(const CaptionCorpus& corpus, const std::string& folder, const PictureShape& shape,
                       ThreadPool& threads);
/// Their regions out of a file of features, by name, or where that tells none in the order of the captions.
/// @throws DataError for a picture without features, or where neither names nor counts fit.
PictureSet regions_of(const CaptionCorpus& corpus, const FeatureFile& features);

/// Numbers of captions, batch by batch: those of one length together, and the batches, in an order that
/// depends on (seed, epoch).
std::vector<std::vector<int32_t>> plan_caption_batches(const std::vector<CaptionIds>& captions, int64_t batch,
                                                       uint64_t seed, int64_t epoch);

}  // namespace rondo
