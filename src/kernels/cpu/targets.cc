#include "kernels/cpu/targets.h"

#include <hwy/highway.h>
#include <hwy/targets.h>

#include "base/errors.h"

namespace rondo {

namespace {

int64_t bits_of(const std::string& name) {
  for (int64_t target : hwy::SupportedAndGeneratedTargets()) {
    if (name == hwy::TargetName(target)) return target;
  }
  std::string known;
  for (const std::string& target : cpu_targets()) known += (known.empty() ? "" : ", ") + target;
  throw_error<ConfigError>("RONDO_TARGET: this processor has {}, not {}", known, name);
}

}  // namespace

std::vector<std::string> cpu_targets() {
  std::vector<std::string> names;
  for (int64_t target : hwy::SupportedAndGeneratedTargets()) names.emplace_back(hwy::TargetName(target));
  return names;
}

std::string cpu_target() { return cpu_targets().front(); }

void force_cpu_target(const std::string& name) {
  hwy::SetSupportedTargetsForTest(0);
  if (!name.empty()) hwy::SetSupportedTargetsForTest(bits_of(name));
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace rondo
