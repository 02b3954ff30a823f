// Requests byte by byte: what another reader might take otherwise is no request.
#include "serve/http_syntax.h"

#include <gmock/gmock.h>

#include <cstring>
#include <string_view>

#include "serve/sockets.h"

namespace rondo::serve {
namespace {

/// "whole", "goes on", or "refused at N".
std::string read_head(std::string_view bytes) {
  HeadSyntax head;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (!head.take(bytes[i])) return "refused at " + std::to_string(i);
    if (head.is_whole()) return i + 1 == bytes.size() ? "whole" : "whole before its end";
  }
  return "goes on";
}

TEST(HeadSyntax, TakesWhatClientsSend) {
  for (const char* head :
       {"GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n",
        "POST /v1/predict HTTP/1.1\r\nContent-Length: 12\r\nX: \t tab and \xC3\xA9 \r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length:0\r\nEmpty:\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n"}) {
    EXPECT_EQ(read_head(head), "whole") << head;
  }
  EXPECT_EQ(read_head("GET / HTTP/1.1\r\nHost: a\r\n"), "goes on");
  EXPECT_EQ(read_head(""), "goes on");
}

TEST(HeadSyntax, RefusesTheByteThatReadersTakeDifferently) {
  const std::pair<const char*, int> cases[] = {
      {"GET / HTTP/1.1\n", 14},                       // LF alone
      {"GET / HTTP/1.1\r\nContent-Length: 5\n", 33},  // the library skips such a line
      {"GET / HTTP/1.1\r\nContent-Length : 5", 30},   // a blank before the colon
      {"GET / HTTP/1.1\r\nA: b\r\n c", 22},           // a line that goes on
      {"GET / HTTP/1.1\r\nA: b\rC: d", 21},           // CR alone
      {"GET / HTTP/1.1\r\n\rX", 17},                  // CR alone at the end
      {"GET / HTTP/1.1\r\n: b", 16},                  // no name
      {"GET / HTTP/1.1\r\nno colon\r\n", 18},
      {"GET / HTTP/1.1\r\nContent-Length: %31\r\n", 35},  // the library decodes it
      {"GET / HTTP/1.1\r\nContent-Length: +1\r\n", 34},
      {"GET / HTTP/1.1\r\nContent-Length: 1, 1\r\n", 36},
      {"GET / HTTP/1.1\r\nContent-Length: \r\n", 32},  // the library skips it
      {"GET / HTTP/1.1\r\ntransfer-encoding:\r\n", 34},
      {"GET / HTTP/1.1\r\nA: b\x01", 20},
      {"GET / HTTP/1.1\r\nA: b\x7f", 20},
      {"GET /\xC3\xA9 HTTP/1.1\r\n", 5},
      {"\x16\x03\x01\x02", 0},  // TLS
  };
  for (const auto& [head, at] : cases) {
    EXPECT_EQ(read_head(head), "refused at " + std::to_string(at)) << head;
  }
  EXPECT_EQ(read_head(std::string_view("GET /\0 HTTP/1.1\r\n", 17)), "refused at 5");
  EXPECT_EQ(read_head(std::string_view("GET / HTTP/1.1\r\nA\0: b\r\n", 24)), "refused at 17");
}

/// From a string, in pieces of at most three bytes.
ReadBytes reader_of(std::string_view& bytes) {
  return [&bytes](char* to, size_t size) {
    const size_t count = std::min({size, bytes.size(), size_t{3}});
    std::memcpy(to, bytes.data(), count);
    bytes.remove_prefix(count);
    return static_cast<ssize_t>(count);
  };
}

struct Chunks {
  BodyEnd end;
  std::string body, rest;
};
Chunks read_all_chunks(std::string_view bytes, size_t most = 20) {
  Chunks result;
  result.end = read_chunks(reader_of(bytes), most, result.body);
  result.rest = bytes;
  return result;
}

TEST(RequestBody, ChunksBecomeOneBody) {
  const Chunks read =
      read_all_chunks("3\r\nabc\r\nA ; name=\"value\"\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nGET");
  EXPECT_EQ(read.end, BodyEnd::kWhole);
  EXPECT_EQ(read.body, "abc0123456789");
  EXPECT_EQ(read.rest, "GET") << "what follows is another request's";
  EXPECT_EQ(read_all_chunks("000\r\n\r\n").end, BodyEnd::kWhole);
}

TEST(RequestBody, ChunksThatReadersTakeDifferentlyAreRefused) {
  for (const char* bytes :
       {"-1\r\nabc", "+3\r\nabc\r\n0\r\n\r\n", "0x3\r\nabc\r\n0\r\n\r\n", " 3\r\nabc\r\n0\r\n\r\n",
        "3\nabc\r\n0\r\n\r\n", "3\r\nabcXX\r\n0\r\n\r\n", "3\r\nabc\n0\r\n\r\n", "3 x\r\nabc\r\n0\r\n\r\n",
        "\r\n", "zz\r\n", "0\r\n\n", "0\r\nA: b\r\n", "3\r\nab", "3\r\nabc", "3\r\nabc\r\n", "",
        "ffffffffffffffffff\r\n", "3;\x01\r\nabc\r\n0\r\n\r\n"}) {
    EXPECT_EQ(read_all_chunks(bytes).end, BodyEnd::kBroken) << bytes;
  }
  EXPECT_EQ(read_all_chunks("3;" + std::string(10000, 'x') + "\r\nabc\r\n0\r\n\r\n").end, BodyEnd::kBroken);
}

TEST(RequestBody, ChunksAboveTheLimitAreNotRead) {
  EXPECT_EQ(read_all_chunks("5\r\nabcde\r\n0\r\n\r\n", 5).end, BodyEnd::kWhole);
  const Chunks second = read_all_chunks("3\r\nabc\r\n3\r\nabc\r\n0\r\n\r\n", 5);
  EXPECT_EQ(second.end, BodyEnd::kTooLarge);
  EXPECT_EQ(second.body, "abc");
  EXPECT_EQ(read_all_chunks("ffffffffffffffff\r\nabc").end, BodyEnd::kTooLarge);
}

TEST(RequestBody, ALengthIsReadAndNoMore) {
  std::string_view bytes = "0123456789GET";
  std::string body;
  EXPECT_EQ(read_length(reader_of(bytes), 10, body), BodyEnd::kWhole);
  EXPECT_EQ(body, "0123456789");
  EXPECT_EQ(bytes, "GET");
  EXPECT_EQ(read_length(reader_of(bytes), 4, body), BodyEnd::kBroken);
}

TEST(LocalName, OnlyAddressesAndLocalhost) {
  for (const char* host : {"", "127.0.0.1", "127.0.0.1:8080", "localhost", "LOCALHOST:8080", "[::1]",
                           "[::1]:8080", "192.168.0.7:80"}) {
    EXPECT_TRUE(is_local_name(host)) << host;
  }
  for (const char* host : {"evil.example", "evil.example:8080", "127.0.0.1.evil.example",
                           "localhost.evil.example", "x", "[", "[evil]", ":", "1.2.3", "127.0.0.1:80:80"}) {
    EXPECT_FALSE(is_local_name(host)) << host;
  }
  for (const char* host : {"127.0.0.1", "127.1.2.3", "::1", "localhost"})
    EXPECT_TRUE(is_loopback(host)) << host;
  for (const char* host : {"0.0.0.0", "::", "127.evil.example", "example", ""})
    EXPECT_FALSE(is_loopback(host)) << host;
}

}  // namespace
}  // namespace rondo::serve
