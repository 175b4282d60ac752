package dev.nibble.compute.kernels.cuda.products;

import dev.nibble.compute.kernels.cuda.Emulator;
import dev.nibble.compute.kernels.cuda.work.Launch;
import dev.nibble.compute.tensor.Scope;
import org.junit.jupiter.api.Tag;

/** What the set asks of cuBLAS: a stand-in takes it literally. */
@Tag("cuda")
final class CublasProductsTest extends ProductsTest {
  @Override
  Products open(Launch launch, Scope scratch) {
    return new CublasProducts(launch, Emulator.cublas(), scratch);
  }
}
