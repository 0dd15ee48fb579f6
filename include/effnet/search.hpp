#pragma once

/// How the networks are found: search spaces, rewards, algorithms, what steps cost, and scaling.

#include <effnet/search/evolution.hpp>
#include <effnet/search/nonuniform_scaling.hpp>
#include <effnet/search/planted_reward.hpp>
#include <effnet/search/prediction_error.hpp>
#include <effnet/search/random_search.hpp>
#include <effnet/search/reinforcement.hpp>
#include <effnet/search/reward.hpp>
#include <effnet/search/run_search.hpp>
#include <effnet/search/spaces.hpp>
#include <effnet/search/step_times.hpp>
