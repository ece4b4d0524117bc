// Where the gradients of a window are kept: on the GPUs that were asked for, or, on `auto`, on the
// first one where that gains.
#pragma once

#include "algebra/row_window.hpp"
#include "device/choice.hpp"

namespace secondorder::mfac {

/// For FisherWindow: makes the rows on GPUs, or nothing where they are to be on the CPU, and says
/// in `chosen`, which has to outlive the call, which it was and why. Throws as choose_device()
/// does.
MakeRowWindow rows_on(DeviceRequest request, DeviceChoice& chosen);

}  // namespace secondorder::mfac
