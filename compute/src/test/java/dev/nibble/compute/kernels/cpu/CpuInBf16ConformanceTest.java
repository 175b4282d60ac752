package dev.nibble.compute.kernels.cpu;

import dev.nibble.compute.kernels.KernelConformance;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelOptions.Activations;
import dev.nibble.compute.kernels.KernelOptions.Cublas;
import dev.nibble.compute.kernels.KernelOptions.DeviceMemory;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import java.util.OptionalInt;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Activations in bfloat16, on processors that multiply it. */
@ExtendWith(CpuInBf16ConformanceTest.NeedsBf16.class)
final class CpuInBf16ConformanceTest extends KernelConformance {
  /** Says why these tests are skipped, where they are. */
  static final class NeedsBf16 implements ExecutionCondition {
    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
      return Processor.noBf16Because()
          .map(reason -> {
            System.out.printf("%s skipped: %s%n", context.getDisplayName(), reason);
            return ConditionEvaluationResult.disabled(reason);
          })
          .orElseGet(() -> ConditionEvaluationResult.enabled("the processor has bfloat16"));
    }
  }

  @Override
  protected Kernels open() {
    return new CpuKernelSet().open(inBf16());
  }

  static KernelOptions inBf16() {
    return new KernelOptions(
        2, Activations.BF16, OptionalInt.empty(), false, new Cublas.Auto(), DeviceMemory.AUTO);
  }

  @Override
  protected DType activations() {
    return DType.BF16;
  }
}
