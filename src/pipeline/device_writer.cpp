#include "pipeline/device_writer.hpp"

namespace koine::pipeline {

DeviceWriter::DeviceWriter(backend::DeviceLane& lane) : lane_(lane) {
  for (int buffer = 0; buffer < backend::DeviceLane::kOutlets; ++buffer) free_.put(buffer);
  thread_ = std::jthread([this] { run(); });
}

DeviceWriter::~DeviceWriter() {
  results_.close();
}

int DeviceWriter::room() {
  int buffer = 0;
  (void)free_.take(buffer);  // never closed but by a failure
  return buffer;
}

void DeviceWriter::finish() {
  results_.close();
  thread_.join();
  if (failure_) std::rethrow_exception(failure_);
}

void DeviceWriter::run() {
  try {
    for (Result result{}; results_.take(result);) {
      result.write(lane_.take(result.buffer, result.bytes));
      free_.put(result.buffer);
    }
  } catch (...) {
    failure_ = std::current_exception();
    free_.close(failure_);
  }
}

}  // namespace koine::pipeline
