// What the bytes of a request must look like before anything else reads them. Where this server and a proxy
// before it disagreed about the end of a request, one client's bytes would become another's request.
//   HeadSyntax head;  while (!head.is_whole()) if (!head.take(next())) refuse();
//   std::string body;  BodyEnd end = read_chunks(read, most, body);
// The grammar: https://www.rfc-editor.org/rfc/rfc9112
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace rondo::serve {

/// Request line and headers, byte by byte: lines end by CR LF, a name is a token that its colon follows at
/// once, a value has no control characters, a length is digits. No line goes on in the next.
class HeadSyntax {
 public:
  /// @return  false: no byte of a request can stand here.
  bool take(char byte);
  /// The empty line after the headers was taken.
  bool is_whole() const { return place_ == Place::kEnd; }

 private:
  enum class Place { kRequestLine, kName, kValue, kLineFeed, kEnd };
  bool end_line();
  bool take_name(char byte);
  bool take_value(char byte);

  Place place_ = Place::kRequestLine, next_ = Place::kName;
  std::string name_;   ///< of the header, in small letters
  std::string value_;  ///< of a header that says where the body ends
  bool frames_ = false;
};

/// Puts up to `size` bytes there; none: the end, or an error.
using ReadBytes = std::function<ssize_t(char* to, size_t size)>;

enum class BodyEnd { kWhole, kTooLarge, kBroken };

/// Reads a body of this length. Memory grows with what came, not with what was announced.
BodyEnd read_length(const ReadBytes& read, size_t length, std::string& body);
/// Reads a body in chunks of at most `most` bytes together; what stands beside and behind them is thrown
/// away.
BodyEnd read_chunks(const ReadBytes& read, size_t most, std::string& body);

}  // namespace rondo::serve
