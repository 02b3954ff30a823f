// A program that writes on, asks for odds and scores, by the public header alone.
//   rondo-continue poems.rondo "Shall I compare"
#include <rondo/language_model.h>

#include <cmath>
#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("rondo-continue MODEL PROMPT\n", stderr);
    return 2;
  }
  try {
    const auto model = rondo::TextModel::load(argv[1]);
    for (const rondo::Token& token : model.next(argv[2], 3)) {
      std::printf("%.3f  \"%s\"\n", std::exp(token.log_probability), token.text.c_str());
    }
    model.generate(argv[2], {{"length", "200"}, {"temperature", "0.7"}}, [](std::string_view piece) {
      return std::fwrite(piece.data(), 1, piece.size(), stdout) == piece.size();  // false ends the text
    });
    double sum = 0;
    for (const rondo::Token& token : model.score(argv[2])) sum += token.log_probability;
    std::printf("\nlog-probability of the prompt as a document: %.2f\n", sum);
    return 0;
  } catch (const rondo::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
