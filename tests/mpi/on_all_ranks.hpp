#pragma once

#include <gtest/gtest.h>
#include <mpi.h>

/// Fails the test on every process where the condition is false on one.
#define ASSERT_ON_ALL_RANKS(condition)                                                       \
  do {                                                                                       \
    int here = (condition) ? 1 : 0, everywhere = 0;                                          \
    MPI_Allreduce(&here, &everywhere, 1, MPI_INT, MPI_LAND, MPI_COMM_WORLD);                 \
    ASSERT_TRUE(everywhere) << #condition << (here != 0 ? " (true here)" : " (false here)"); \
  } while (false)
