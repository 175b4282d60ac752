package dev.nibble.compute.kernels.cpu;

import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A condition of tests: a processor that multiplies bfloat16. It says why they are skipped. */
public final class NeedsBf16 implements ExecutionCondition {
  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    return Bf16Support.missingBecause()
        .map(reason -> {
          System.out.printf("%s skipped: %s%n", context.getDisplayName(), reason);
          return ConditionEvaluationResult.disabled(reason);
        })
        .orElseGet(() -> ConditionEvaluationResult.enabled("the processor has bfloat16"));
  }
}
