// Pictures and the sentences that describe them, from a table of both.
//   CaptionCorpus corpus = read_captions("captions.csv", {});   // image,caption
//   corpus.images[0].name == "dog.jpg";  corpus.images[0].captions[0].text == "a dog runs"
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/options.h"
#include "data/labelled.h"

namespace rondo {

/// How captions are written.
struct CaptionFormat {
  TextFormat format = TextFormat::kAuto;
  std::string image_column;
  std::string caption_column;
  Header header = Header::kAuto;
  bool quotes = true;
  bool replace_invalid = false;

  template <class Visitor>
  void visit(Visitor& v) {
    v("format", format, "how captions are written: csv, tsv or jsonl; auto looks at the name and first line");
    v("image-column", image_column,
      "name or number (from 1) of the column, or JSON key, with the picture's file name; empty: by the "
      "header, else the first");
    v("caption-column", caption_column,
      "name or number of the caption's column, or its JSON key; empty: by the header, else the second");
    v("header", header, "whether the first row of CSV or TSV names the columns; auto: if it looks so");
    v("quotes", quotes, "cells of CSV and TSV may stand in double quotes; false takes quotes as they are");
    v("replace-invalid", replace_invalid,
      "put U+FFFD for bytes that are not UTF-8 instead of stopping at them");
  }
};

struct Caption {
  std::string text;
  int64_t line = 0;
};

/// A picture by its name, with all that is said of it.
struct CaptionedImage {
  std::string name;
  std::string file;  ///< that speaks of it, for messages
  std::vector<Caption> captions;

  /// "captions.csv:12".
  std::string place(const Caption& caption) const;
};

struct CaptionCorpus {
  std::string name;                    ///< the file, for messages
  std::string format;                  ///< what was detected: "CSV, header: 'image' to 'caption'"
  std::vector<CaptionedImage> images;  ///< in the order in which they first stand in the file
  std::vector<std::string> warnings;

  int64_t num_captions() const;
};

/// Reads all captions; a picture has as many as it has rows. CSV (Flickr8k's captions.txt: image,caption),
/// TSV (its token file: name.jpg#0, tab, caption; what stands behind # is left out) or JSON lines; gzip is
/// opened. A header is taken for one if it has a word for a picture (image, picture, file, filename, file
/// name, name) and one for a caption (caption, text, sentence, comment, description).
/// @throws DataError `file:line: ...` for a picture without a caption or a caption without a picture, a
/// missing
///         column or key, bytes that are not UTF-8; and if there is none. ConfigError; IoError.
CaptionCorpus read_captions(const std::string& path, const CaptionFormat& format);

/// Moves round(fraction * size) pictures with all their captions, one at least, to the second corpus. Both
/// keep the order of the file. Depends on the corpus, `fraction` and `seed` only.
/// @throws DataError with fewer than two pictures.
CaptionCorpus take_dev_images(CaptionCorpus& corpus, double fraction, uint64_t seed);

}  // namespace rondo
