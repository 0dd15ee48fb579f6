#pragma once

/// Training on the backend that judges the others.

#include <effnet/nn/training_network.hpp>
#include <effnet/reference/reference_training_backend.hpp>
