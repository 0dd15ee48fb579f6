#pragma once

/// The CPU backend: `effnet::cpu_backend`. Needs oneDNN 2.x or 3.x and OpenMP.

#include <effnet/cpu/cpu_backend.hpp>
