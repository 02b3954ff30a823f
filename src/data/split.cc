#include "data/split.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/random.h"
#include "data/wording.h"

namespace rondo {
namespace {

using Group = std::vector<int32_t>;  // numbers of the examples with the same labels

std::vector<Group> group_by_labels(const LabelledCorpus& corpus) {
  std::map<std::vector<std::string>, Group> groups;
  for (size_t i = 0; i < corpus.examples.size(); ++i) {
    std::vector<std::string> labels = corpus.examples[i].labels;
    std::ranges::sort(labels);
    groups[std::move(labels)].push_back(static_cast<int32_t>(i));
  }
  std::vector<Group> list;
  for (auto& [labels, group] : groups) list.push_back(std::move(group));
  return list;
}

// How many of each group go: the whole part of its share, and the rest to the largest remainders.
std::vector<int64_t> share_out(const std::vector<Group>& groups, double fraction, int64_t wanted) {
  std::vector<int64_t> counts;
  std::vector<double> remainders;
  for (const Group& group : groups) {
    const double share = fraction * static_cast<double>(group.size());
    counts.push_back(std::min(static_cast<int64_t>(share), static_cast<int64_t>(group.size()) - 1));
    remainders.push_back(share - static_cast<double>(counts.back()));
  }
  std::vector<int32_t> order(groups.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](int32_t a, int32_t b) { return remainders[a] > remainders[b]; });
  int64_t missing = wanted - std::accumulate(counts.begin(), counts.end(), int64_t{0});
  // The first rounds leave every group one example; the last is for corpora where none has two.
  for (const int64_t keep : {1, 0}) {
    for (bool given = true; missing > 0 && given;) {
      given = false;
      for (const int32_t g : order) {
        if (missing == 0 || counts[g] >= static_cast<int64_t>(groups[g].size()) - keep) continue;
        ++counts[g];
        --missing;
        given = true;
      }
    }
  }
  return counts;
}

}  // namespace

std::vector<bool> choose_dev(const LabelledCorpus& corpus, double fraction, uint64_t seed) {
  if (!(fraction > 0 && fraction < 1)) {
    throw_error<ConfigError>("dev-fraction must be above 0 and below 1, got {}", fraction);
  }
  const auto size = static_cast<int64_t>(corpus.examples.size());
  if (size < 2) {
    throw_error<DataError>("{}: {} example(s), expected two at least to set some aside for development",
                           corpus.path, size);
  }
  const int64_t wanted = std::clamp<int64_t>(std::llround(fraction * static_cast<double>(size)), 1, size - 1);

  std::vector<Group> groups = group_by_labels(corpus);
  const std::vector<int64_t> counts = share_out(groups, fraction, wanted);
  std::vector<bool> is_dev(size, false);
  constexpr uint64_t kPurpose = 0x73706C6974;  // "split": no other use of the seed gets these numbers
  for (size_t g = 0; g < groups.size(); ++g) {
    shuffle(groups[g], Stream(seed, {kPurpose, g}));
    for (int64_t i = 0; i < counts[g]; ++i) is_dev[groups[g][i]] = true;
  }
  return is_dev;
}

std::pair<LabelledCorpus, LabelledCorpus> split_dev(LabelledCorpus corpus, double fraction, uint64_t seed) {
  const std::vector<bool> is_dev = choose_dev(corpus, fraction, seed);
  LabelledCorpus train{.path = corpus.path, .format = corpus.format};
  LabelledCorpus dev = train;
  train.replaced_lines = corpus.replaced_lines;
  for (size_t i = 0; i < is_dev.size(); ++i) {
    LabelledCorpus& part = is_dev[i] ? dev : train;
    if (trim(corpus.examples[i].text).empty()) ++part.empty_texts;
    part.examples.push_back(std::move(corpus.examples[i]));
  }
  return {std::move(train), std::move(dev)};
}

}  // namespace rondo
