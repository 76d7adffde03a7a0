#pragma once

#include <memory>

#include "methods/method.hpp"

/// One maker per method; registry.cpp lists them.
namespace koine::methods {

std::unique_ptr<Method> make_lors();
std::unique_ptr<Method> make_svp();
std::unique_ptr<Method> make_mp();
std::unique_ptr<Method> make_task_arithmetic();
std::unique_ptr<Method> make_linear();

}  // namespace koine::methods
