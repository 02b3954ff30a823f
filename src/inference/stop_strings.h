// Ends a text where one of some strings comes, however it is cut into pieces.
//   StopStrings stops({"\n\n", "THE END"});  std::string sure;
//   if (stops.add(piece, sure)) ...   // found: `sure` is the text before it
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rondo {

class StopStrings {
 public:
  /// @throws ConfigError for one that is empty, or is not UTF-8.
  explicit StopStrings(std::vector<std::string> stops);

  /// Appends to `sure` what cannot belong to a stop string any more, in the order it came; what may be the
  /// beginning of one is held back. @return  true if one is complete: it ends the text and is not written.
  bool add(std::string_view piece, std::string& sure);
  /// Appends what was held back.
  void finish(std::string& sure);

 private:
  /// Where the stop string begins that is complete first, or npos.
  size_t find() const;
  /// Bytes at the end of held_ that may be the beginning of a stop string.
  size_t unsure() const;

  std::vector<std::string> stops_;
  std::string held_;  ///< never longer than the longest stop string and one piece
};

}  // namespace rondo
