// Curves for TensorBoard: an event file that `tensorboard --logdir DIRECTORY` shows while the run goes on.
//   EventFile events("runs/news");  events.scalar("train/loss", 0.7, /*step=*/100);
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rondo {

/// An append-only file DIRECTORY/events.out.tfevents.TIME.HOST.PID.N of framed Event messages: length, masked
/// CRC-32C of the length, message, masked CRC-32C of the message (TFRecord).
class EventFile {
 public:
  /// Makes the directory if need be. A run that resumes at `first_step` > 0 writes a SessionLog START there,
  /// upon which TensorBoard drops what older files say of that step and later ones.
  /// @throws IoError.
  explicit EventFile(const std::string& directory, int64_t first_step = 0);
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  /// A point of the curve `tag` at this step, at the present time. @throws IoError.
  void scalar(std::string_view tag, double value, int64_t step);
  const std::string& path() const { return path_; }

 private:
  void append(std::string_view event);

  std::string path_;
  int descriptor_ = -1;
};

/// CRC-32C (Castagnoli), as in RFC 3720; zlib has only the other polynomial.
uint32_t crc32c(std::string_view bytes);

}  // namespace rondo
