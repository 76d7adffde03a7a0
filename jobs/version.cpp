#include "version.hpp"

#include <array>
#include <filesystem>

#include <H5public.h>
#include <fmt/format.h>
#include <mpi.h>

#include "backend/cuda_library.hpp"
#include "comm/gpu_library.hpp"
#include "commands.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "lowrank/truncated_svd.hpp"

namespace koine::jobs {
namespace {

/// GPUs as the driver lists them; nothing is initialised.
Json devices() {
  Json found = Json::array();
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/driver/nvidia/gpus", none)) {
    found.push_back(entry.path().filename().string());
  }
  return found;
}

std::string mpi_library() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  if (MPI_Get_library_version(text.data(), &length) != MPI_SUCCESS)
    return "unknown";  // allowed before MPI_Init
  const std::string line(text.data(), static_cast<std::size_t>(length));
  return line.substr(0, line.find_first_of(",\n"));
}

/// The CUDA library, if it can be opened: its own libraries' versions.
Json cuda_versions() {
  try {
    return backend::CudaLibrary::open().versions();
  } catch (const Error&) {
    return nullptr;
  }
}

Json report() {
  const Json cuda = cuda_versions();  // first: NCCL's side then finds the same runtime
  const std::string nccl = comm::nccl_version();
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  return Json{{"schema", "koine-version-1"},
              {"version", build::kVersion},
              {"commit", build::kCommit},
              {"compiler", build::kCompiler},
              {"build_type", build::kBuildType},
              {"sanitize", build::kSanitize},
              {"mpi", mpi_library()},
              {"hdf5", fmt::format("{}.{}.{}", major, minor, release)},
              {"blas", lowrank::blas_description()},
              {"nccl", nccl.empty() ? Json() : Json(nccl)},
              {"cuda", cuda},
              {"backends", cuda.is_null() ? Json::array({"cpu"}) : Json::array({"cpu", "cuda"})},
              {"devices", devices()}};
}

}  // namespace

std::string commit() {
  return build::kCommit;
}

std::string version() {
  return build::kVersion;
}

std::string version_text(bool as_json) {
  return as_json ? to_text(report())
                 : fmt::format("koine {} ({})\n", build::kVersion, build::kCommit);
}

}  // namespace koine::jobs
