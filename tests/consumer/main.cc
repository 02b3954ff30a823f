// What a program that uses the installed library looks like; run_consumer.cmake builds and runs it.
//   consumer model.rondo "a text"
// Without arguments it asks for a file that is not there, which needs the whole archive to link.
#include <rondo/classifier.h>
#include <rondo/language_model.h>
#include <rondo/session.h>

#include <cstdio>

int main(int argc, char** argv) {
  const bool real = argc == 3;
  try {
    const auto model = rondo::Classifier::load(real ? argv[1] : "/nonexistent/model.rondo");
    const auto best = model.predict(real ? argv[2] : "").front();
    std::printf("%s %.3f\n", best.label.c_str(), best.probability);
    return 0;
  } catch (const rondo::IoError& error) {
    std::puts(error.what());
    return real ? 1 : 0;
  }
}
