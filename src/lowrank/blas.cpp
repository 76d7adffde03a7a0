#include <cblas.h>

#include "lowrank/truncated_svd.hpp"

namespace koine::lowrank {

void use_one_blas_thread() {
  openblas_set_num_threads(1);
}

std::string blas_description() {
  const std::string config = openblas_get_config();  // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH …"
  const std::size_t after_name = config.find(' ');
  const std::string name_and_version = config.substr(0, config.find(' ', after_name + 1));
  return name_and_version + " " + openblas_get_corename();
}

}  // namespace koine::lowrank
