// What a run may be asked about the device it takes.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/enum_names.hpp"

namespace secondorder {

struct DeviceRequest {
  enum class Kind { automatic, cpu, cuda };
  Kind kind = Kind::automatic;
  std::vector<int> gpus = {};  ///< of Kind::cuda, at least one
};

/// From public names: 'auto', 'cpu', 'cuda' (the first GPU), 'cuda:N', or several different
/// 'cuda:N'. Throws ERR_INVALID_ARGUMENT naming `argument`.
DeviceRequest parse_device(std::span<const std::string> names, const std::string& argument);

/// How float32 matrices are multiplied: in float32 throughout, or with factors rounded to the 10
/// bits of mantissa that tensor cores take (TF32), sums in float32.
enum class Products { float32, tf32 };

template <>
struct EnumNames<Products> {
  static constexpr Named<Products> table[] = {{"float32", Products::float32},
                                              {"tf32", Products::tf32}};
};

}  // namespace secondorder
