#pragma once

/// How the networks are found: search spaces, rewards, algorithms, what steps cost, and scaling.

#include <effnet/search/accuracy_surrogate.hpp>
#include <effnet/search/block_times.hpp>
#include <effnet/search/calibrated_times.hpp>
#include <effnet/search/cheapest_candidate.hpp>
#include <effnet/search/covering_candidates.hpp>
#include <effnet/search/evolution.hpp>
#include <effnet/search/fitted_line.hpp>
#include <effnet/search/mean_and_error.hpp>
#include <effnet/search/measured_times.hpp>
#include <effnet/search/median_stopping.hpp>
#include <effnet/search/nonuniform_scaling.hpp>
#include <effnet/search/option_shares.hpp>
#include <effnet/search/pareto_front.hpp>
#include <effnet/search/planted_reward.hpp>
#include <effnet/search/prediction_error.hpp>
#include <effnet/search/random_search.hpp>
#include <effnet/search/reinforcement.hpp>
#include <effnet/search/repeated_timings.hpp>
#include <effnet/search/reward.hpp>
#include <effnet/search/run_search.hpp>
#include <effnet/search/scaling_grid.hpp>
#include <effnet/search/spaces.hpp>
#include <effnet/search/stage_rows.hpp>
#include <effnet/search/uniform_ops.hpp>
