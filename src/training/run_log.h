// What happened in a training, as a file of JSON objects, one a line.
//   RunLog log("run.jsonl");  log.append({{"step", 100}, {"loss", 0.7}});
// A run that resumes cuts off what came after its checkpoint: log.truncate_to(position).
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace rondo {

class RunLog {
 public:
  /// Opens for appending; creates the file. @throws IoError.
  explicit RunLog(std::string path);
  ~RunLog();
  RunLog(const RunLog&) = delete;
  RunLog& operator=(const RunLog&) = delete;

  /// Writes one line, in one write to the file, so that another reader sees it whole; numbers that JSON
  /// cannot hold (infinite, NaN) become null, bytes that are no UTF-8 become U+FFFD. @throws IoError.
  void append(const nlohmann::json& record);
  /// Bytes so far: goes into a checkpoint.
  int64_t position() const { return position_; }
  /// Waits until all of it is on the disk. @throws IoError.
  void sync();
  /// Drops what stands after `position`, for a run that resumes there. @throws IoError; FormatError if the
  /// file is shorter or the position is not at the start of a line.
  void truncate_to(int64_t position);

 private:
  void write(const std::string& bytes);

  std::string path_;
  int descriptor_ = -1;
  int64_t position_ = 0;
};

}  // namespace rondo
