// Refuses what can't fit into memory before it is begun.
#pragma once

#include <string>

namespace secondorder::newton {

/// Throws Error(out_of_memory), naming `argument`, where `what` needs more bytes than the process
/// can still have: "`what` takes 5 GB of the 2 GB there are", followed by `advice`. Some megabytes
/// are taken to be there.
void require_memory(double bytes, const std::string& what, const char* argument,
                    const std::string& advice = {});

}  // namespace secondorder::newton
