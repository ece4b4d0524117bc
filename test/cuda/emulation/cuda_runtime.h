// In place of NVIDIA's header of this name, where sources of cuda/ are compiled for the CPU.
#pragma once

#include "device_language.hpp"
#include "runtime_api.hpp"
#include "vector_types.hpp"
