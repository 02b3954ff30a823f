// The C++ half of python_test.py.  sample_model write FILE: a model whose content the script knows.
// sample_model read FILE: exit status 0 if it is a model with that content, whoever wrote the file.
#include <cstdio>
#include <numeric>
#include <string>

#include "rondo/errors.h"
#include "storage/model_file.h"

namespace rondo {
namespace {

Tensor counting(Shape shape, float step) {
  Tensor tensor(std::move(shape));
  for (int64_t i = 0; i < tensor.size(); ++i) tensor.data<float>()[i] = step * static_cast<float>(i);
  return tensor;
}

ModelFile sample() {
  Tensor ids({2, 2}, DType::kInt32);
  std::iota(ids.data<int32_t>(), ids.data<int32_t>() + 4, -1);
  const Tensor doubles({1}, DType::kFloat64);
  doubles.fill(0.1);
  return {.kind = "classifier",
          .config = {{"cell", "lstm"}, {"hidden", 4}},
          .labels = {"World", "Sci/Tech"},
          .vocabulary = {"<unk>", "été", "a\"b"},
          .tokenizer_model = std::string("\x00\x7f\xff", 3),
          .metrics = {{"accuracy", 0.9}},
          .tensors = {{"lstm.weight_ih_l0", counting({3, 2}, 0.5F)},
                      {"linear.bias", counting({2}, 0.25F)},
                      {"ids", ids},
                      {"double", doubles}}};
}

// The checksum is of the content, whatever the order in the file.
bool is_sample(const ModelFile& model) {
  return checksum(to_tensor_file(model)) == checksum(to_tensor_file(sample()));
}

int run(const std::string& mode, const std::string& path) {
  if (mode == "write") {
    write_model_file(path, sample());
    return 0;
  }
  return is_sample(read_model_file(path)) ? 0 : 1;
}

}  // namespace
}  // namespace rondo

int main(int argc, char** argv) {
  try {
    return argc == 3 ? rondo::run(argv[1], argv[2]) : 2;
  } catch (const rondo::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 3;
  }
}
