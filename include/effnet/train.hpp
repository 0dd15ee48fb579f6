#pragma once

/// Trainer, optimizers, schedules, progressive learning, checkpoints, and `fit`, which feeds a
/// trainer with pictures; needs the target effnet::io.

#include <effnet/data/open_data_set.hpp>
#include <effnet/nn/adapted_weights.hpp>
#include <effnet/train/checkpoint_rotation.hpp>
#include <effnet/train/estimate_batch_norm.hpp>
#include <effnet/train/fit.hpp>
#include <effnet/train/resume.hpp>
#include <effnet/train/run_presets.hpp>
#include <effnet/train/trainer.hpp>
