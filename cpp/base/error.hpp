// Typed errors of the core. The codes are the public ones: the binding passes them on unchanged.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace secondorder {

enum class ErrorCode {
  invalid_argument,
  dimension_mismatch,
  out_of_memory,
  not_fitted,
  aborted,
  numerical,
  evaluation,
  disposed,
  format,
  cuda_no_driver,
  cuda_no_backend,
  cuda_no_device,
  cuda_library,
  cuda,
  internal
};

/// The public name of a code, such as "ERR_INVALID_ARGUMENT".
constexpr std::string_view name(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
      return "ERR_INVALID_ARGUMENT";
    case ErrorCode::dimension_mismatch:
      return "ERR_DIMENSION_MISMATCH";
    case ErrorCode::out_of_memory:
      return "ERR_OUT_OF_MEMORY";
    case ErrorCode::not_fitted:
      return "ERR_NOT_FITTED";
    case ErrorCode::aborted:
      return "ERR_ABORTED";
    case ErrorCode::numerical:
      return "ERR_NUMERICAL";
    case ErrorCode::evaluation:
      return "ERR_EVALUATION";
    case ErrorCode::disposed:
      return "ERR_DISPOSED";
    case ErrorCode::format:
      return "ERR_FORMAT";
    case ErrorCode::cuda_no_driver:
      return "ERR_CUDA_NO_DRIVER";
    case ErrorCode::cuda_no_backend:
      return "ERR_CUDA_NO_BACKEND";
    case ErrorCode::cuda_no_device:
      return "ERR_CUDA_NO_DEVICE";
    case ErrorCode::cuda_library:
      return "ERR_CUDA_LIBRARY";
    case ErrorCode::cuda:
      return "ERR_CUDA";
    case ErrorCode::internal:
      break;
  }
  return "ERR_INTERNAL";
}

class Error : public std::runtime_error {
 public:
  /// `argument_name` is the public name of the argument at fault, empty where there is none.
  Error(ErrorCode error_code, const std::string& message, std::string argument_name = {})
      : std::runtime_error(message), code(error_code), argument(std::move(argument_name)) {}

  ErrorCode code;
  std::string argument;
};

}  // namespace secondorder
