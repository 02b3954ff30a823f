#include "base/files.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "base/errors.h"

namespace rondo {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

std::string gzip(const std::string& bytes) {
  z_stream zip = {};
  EXPECT_EQ(deflateInit2(&zip, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string result(deflateBound(&zip, bytes.size()), '\0');
  zip.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  zip.avail_in = static_cast<uInt>(bytes.size());
  zip.next_out = reinterpret_cast<Bytef*>(result.data());
  zip.avail_out = static_cast<uInt>(result.size());
  EXPECT_EQ(deflate(&zip, Z_FINISH), Z_STREAM_END);
  result.resize(zip.total_out);
  deflateEnd(&zip);
  return result;
}

class FilesTest : public testing::Test {
 protected:
  FilesTest() {
    std::string pattern = (fs::temp_directory_path() / "rondo_files_XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~FilesTest() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  // Writes without the code under test.
  std::string make(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }
  std::vector<std::string> lines(const std::string& bytes) const {
    LineReader reader(make("lines", bytes));
    std::vector<std::string> result;
    while (auto line = reader.next()) result.push_back(*line);
    EXPECT_EQ(reader.line(), static_cast<int64_t>(result.size()));
    EXPECT_FALSE(reader.next());
    return result;
  }
  // Names in the folder, partial files included.
  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& entry : fs::directory_iterator(folder_)) result.push_back(entry.path().filename());
    std::sort(result.begin(), result.end());
    return result;
  }
  template <class Body>
  static std::string message(Body body) {
    try {
      body();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  fs::path folder_;
};

TEST_F(FilesTest, ReadsBytesInPieces) {
  const std::string bytes("a\0b\xFFtail", 8);
  ByteReader reader(make("x", bytes));
  std::string got(3, ' ');
  EXPECT_EQ(reader.read(got), 3U);
  EXPECT_EQ(got, bytes.substr(0, 3));
  got.resize(100);
  EXPECT_EQ(reader.read(got), 5U);
  EXPECT_EQ(got.substr(0, 5), bytes.substr(3));
  EXPECT_EQ(reader.read(got), 0U);
  EXPECT_EQ(reader.path(), path("x"));
}

TEST_F(FilesTest, ShortFilesAreNotTakenForGzip) {
  for (const std::string bytes : {"", "\x1F", "\x1Fx", "x"}) EXPECT_EQ(read_file(make("x", bytes)), bytes);
}

TEST_F(FilesTest, OpensGzipByItself) {
  std::string bytes;
  for (int64_t i = 0; i < 50000; ++i) bytes += std::to_string(i * i) + "\n";
  const std::string zipped = gzip(bytes);
  EXPECT_EQ(read_file(make("x.gz", zipped)), bytes);
  EXPECT_EQ(read_file(make("many", zipped + gzip("") + gzip("end") + std::string(512, '\0'))), bytes + "end");
  LineReader reader(path("x.gz"));
  reader.next();
  EXPECT_EQ(reader.next(), "1");
}

TEST_F(FilesTest, CutGzipIsADataErrorWhereverItIsCut) {
  const std::string zipped = gzip("some text that is long enough to be cut in many places");
  for (size_t size = 2; size < zipped.size(); ++size) {
    make("x", zipped.substr(0, size));
    EXPECT_THAT(message([&] { read_file(path("x")); }), HasSubstr("ends too early")) << size;
  }
  EXPECT_THROW(read_file(make("x", zipped.substr(0, 20))), DataError);
}

TEST_F(FilesTest, DamagedGzipIsADataError) {
  const std::string zipped = gzip(std::string(1000, 'a') + "some text");
  for (size_t i = 10; i < zipped.size(); ++i) {
    std::string damaged = zipped;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x55);
    EXPECT_THROW(read_file(make("x", damaged)), DataError) << i;
  }
  EXPECT_THROW(read_file(make("x", zipped + "garbage")), DataError);
  EXPECT_THROW(read_file(make("x", zipped + '\0' + "garbage")), DataError);
}

TEST_F(FilesTest, ABombStopsAtTheLimit) {
  const std::string bomb = make("bomb", gzip(std::string(20 << 20, 'a')));
  ASSERT_LT(fs::file_size(bomb), 1U << 16);
  EXPECT_THAT(message([&] { read_file(bomb, 1000); }), HasSubstr("more than 1000 bytes"));
  EXPECT_EQ(read_file(make("x", "12345"), 5), "12345");
  EXPECT_THROW(read_file(make("x", "123456"), 5), DataError);
  EXPECT_EQ(read_file(make("x", ""), 0), "");
}

TEST_F(FilesTest, WhatCannotBeReadIsAnIoErrorThatNamesIt) {
  EXPECT_EQ(message([&] { ByteReader reader(path("none")); }),
            "cannot read " + path("none") + ": no such file or directory; check the name");
  EXPECT_THAT(message([&] { ByteReader reader(folder_.string()); }), HasSubstr("is a directory"));
  EXPECT_THROW(ByteReader reader(folder_.string()), IoError);
  EXPECT_THROW(read_file(std::string("/dev/null\0x", 11)), IoError);
  EXPECT_THROW(read_file(""), IoError);
}

TEST_F(FilesTest, LinesEndWithLfOrCrLf) {
  EXPECT_THAT(lines("a\nb\r\n\n\r\nc"), ElementsAre("a", "b", "", "", "c"));
  EXPECT_THAT(lines("a\n"), ElementsAre("a"));
  EXPECT_THAT(lines("a\rb\n"), ElementsAre("a\rb"));
  EXPECT_THAT(lines("\n"), ElementsAre(""));
  EXPECT_TRUE(lines("").empty());
}

TEST_F(FilesTest, AByteOrderMarkIsDroppedAtTheStartOnly) {
  EXPECT_THAT(lines("\xEF\xBB\xBF"
                    "a\n\xEF\xBB\xBF"
                    "b\n"),
              ElementsAre("a",
                          "\xEF\xBB\xBF"
                          "b"));
  EXPECT_TRUE(lines("\xEF\xBB\xBF").empty());
  EXPECT_THAT(lines("\xEF\xBB\xBF\n"), ElementsAre(""));
}

TEST_F(FilesTest, LinesMayBeLongAndEndAnywhere) {
  for (const size_t size : {65534, 65535, 65536, 65537, 131072, 10000000}) {
    const std::string line(size, 'x');
    EXPECT_THAT(lines(line + "\r\n" + line + "\nend"), ElementsAre(line, line, "end"));
  }
}

// The end of `descriptor` for as long as this lives.
class Redirected {
 public:
  Redirected(int descriptor, int to) : descriptor_(descriptor), saved_(dup(descriptor)) {
    dup2(to, descriptor);
    close(to);
  }
  ~Redirected() {
    dup2(saved_, descriptor_);
    close(saved_);
  }

 private:
  int descriptor_;
  int saved_;
};

TEST_F(FilesTest, AMinusIsStandardInputLineByLine) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const Redirected input(STDIN_FILENO, ends[0]);
  LineReader reader("-");
  ASSERT_EQ(write(ends[1], "first\nsec", 9), 9);
  EXPECT_EQ(reader.next(), "first");  // while the other end is still open
  ASSERT_EQ(write(ends[1], "ond", 3), 3);
  close(ends[1]);
  EXPECT_EQ(reader.next(), "second");
  EXPECT_FALSE(reader.next());
}

TEST_F(FilesTest, GzipComesThroughAPipeByteByByte) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const Redirected input(STDIN_FILENO, ends[0]);
  std::thread writer([&] {
    for (const char c : gzip("one\ntwo")) EXPECT_EQ(write(ends[1], &c, 1), 1);
    close(ends[1]);
  });
  EXPECT_EQ(read_file("-"), "one\ntwo");
  writer.join();
}

TEST_F(FilesTest, FilesExistAndAreRemoved) {
  EXPECT_FALSE(file_exists(path("x")));
  make("x", "");
  EXPECT_TRUE(file_exists(path("x")));
  remove_file(path("x"));
  EXPECT_FALSE(file_exists(path("x")));
  remove_file(path("x"));
  EXPECT_THROW(remove_file(folder_.string()), IoError);
}

TEST_F(FilesTest, AnAtomicFileAppearsWithCommit) {
  make("x", "old");
  {
    AtomicFile file(path("x"));
    file.write("new ");
    file.write(std::string(200000, 'y'));
    EXPECT_EQ(read_file(path("x")), "old");
    file.commit();
  }
  EXPECT_EQ(read_file(path("x")), "new " + std::string(200000, 'y'));
  EXPECT_THAT(names(), ElementsAre("x"));
}

TEST_F(FilesTest, WithoutCommitNothingIsLeft) {
  make("x", "old");
  {
    AtomicFile file(path("x")), other(path("y"));
    file.write("new");
    EXPECT_EQ(names().size(), 3U);
  }
  EXPECT_EQ(read_file(path("x")), "old");
  EXPECT_THAT(names(), ElementsAre("x"));
}

TEST_F(FilesTest, TheModeFollowsTheUmaskOrTheOldFile) {
  const auto mode = [&](const std::string& name) {
    struct stat status = {};
    EXPECT_EQ(stat(path(name).c_str(), &status), 0);
    return status.st_mode & 0777;
  };
  const mode_t old = umask(027);
  write_file(path("x"), "x");
  umask(old);
  EXPECT_EQ(mode("x"), 0640U);
  ASSERT_EQ(chmod(path("x").c_str(), 0600), 0);
  write_file(path("x"), "y");
  EXPECT_EQ(mode("x"), 0600U);
}

TEST_F(FilesTest, ALinkStaysALink) {
  make("x", "old");
  fs::create_symlink("x", path("link"));
  write_file(path("link"), "new");
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_EQ(read_file(path("x")), "new");
}

TEST_F(FilesTest, NoSpaceSaysWhatToDo) {
  AtomicFile file("/dev/full");
  file.write("bytes");
  EXPECT_EQ(message([&] { file.commit(); }),
            "cannot write /dev/full: no space left on device; free some space or choose another folder");
  EXPECT_THROW(AtomicFile("/dev/full").write(std::string(100000, 'x')), IoError);
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST_F(FilesTest, AFailedWriteKeepsTheOldFile) {
  make("x", "old");
  const auto old_handler = signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  const rlimit small = {4096, old_limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_THROW(write_file(path("x"), std::string(200000, 'n')), IoError);
  setrlimit(RLIMIT_FSIZE, &old_limit);
  signal(SIGXFSZ, old_handler);
  EXPECT_EQ(read_file(path("x")), "old");
  EXPECT_THAT(names(), ElementsAre("x"));
}

TEST_F(FilesTest, StandardOutputIsWrittenInPlace) {
  const int to = open(path("out").c_str(), O_WRONLY | O_CREAT, 0644);
  {
    const Redirected output(STDOUT_FILENO, to);
    ASSERT_EQ(write(STDOUT_FILENO, "before ", 7), 7);
    write_file("/dev/stdout", "bytes");
    write_file("/dev/fd/1", " more");
    ASSERT_EQ(write(STDOUT_FILENO, " after", 6), 6);
  }
  EXPECT_EQ(read_file(path("out")), "before bytes more after");
}

TEST_F(FilesTest, WhatIsReadIsNotOverwrittenByWhateverName) {
  write_file(path("news.csv"), "text");
  const std::vector<std::string> read = {"", path("other"), path("news.csv")};
  EXPECT_EQ(message([&] { check_not_overwritten(folder_.string() + "/./news.csv", "output", read); }),
            path("news.csv") + " is read and would be overwritten; give another --output");
  EXPECT_EQ(message([&] {
              check_not_overwritten("no-such-file", "log", std::vector<std::string>{"no-such-file"});
            }),
            "no-such-file is read and would be overwritten; give another --log");
  EXPECT_NO_THROW(check_not_overwritten(path("news.rondo"), "output", read));
  EXPECT_NO_THROW(check_not_overwritten("", "output", read));
}

TEST_F(FilesTest, TargetsThatCannotBeWrittenAreNamed) {
  EXPECT_EQ(message([&] { AtomicFile file(path("no/x")); }),
            "cannot write " + path("no/x") +
                ": no such file or directory; make the folder first or choose another");
  EXPECT_THAT(message([&] { AtomicFile file(folder_.string()); }), HasSubstr("is a directory"));
  EXPECT_THROW(AtomicFile(""), IoError);
  EXPECT_THROW(AtomicFile("/dev/fd/999999"), IoError);
  EXPECT_THROW(AtomicFile(std::string("/tmp/\0x", 7)), IoError);
  EXPECT_THROW(AtomicFile(path(std::string(300, 'n'))), IoError);
}

}  // namespace
}  // namespace rondo
