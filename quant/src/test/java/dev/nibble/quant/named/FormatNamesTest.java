package dev.nibble.quant.named;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.weights.Groups.Axis;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.quant.bnb.FourBitFormat.QuantType;
import dev.nibble.quant.codebook.BlockScales;
import dev.nibble.quant.codebook.CodebookFormat;
import dev.nibble.quant.codebook.CodebookFormat.Table;
import dev.nibble.quant.gptq.GptqFormat;
import dev.nibble.quant.hqq.HqqFormat;
import dev.nibble.quant.int8.Int8Format;
import dev.nibble.quant.quip.QuipFormat;
import dev.nibble.quant.spqr.SpqrFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class FormatNamesTest {

  @Test
  void namesHaveSizes() {
    assertThat(FormatNames.parse("full")).isEmpty();
    assertThat(FormatNames.parse("nf4")).contains(new FourBitFormat(QuantType.NF4, 64, true));
    assertThat(FormatNames.parse("NF4-256-plain"))
        .contains(new FourBitFormat(QuantType.NF4, 256, false));
    assertThat(FormatNames.parse("fp4-dq")).contains(new FourBitFormat(QuantType.FP4, 64, true));
    assertThat(FormatNames.parse("int8")).contains(new Int8Format(128));
    assertThat(FormatNames.parse("int8-g32")).contains(new Int8Format(32));
    assertThat(FormatNames.parse("hqq-2-g16"))
        .contains(new HqqFormat(2, 16, Axis.INPUTS, true, HqqFormat.Metadata.F16));
    assertThat(FormatNames.parse("rtn-3"))
        .contains(new HqqFormat(3, 64, Axis.INPUTS, false, HqqFormat.Metadata.F16));
    assertThat(FormatNames.parse("gptq-3-g32")).contains(new GptqFormat(3, 32));
    assertThat(FormatNames.parse("quip-2")).contains(QuipFormat.quip(2));
    assertThat(FormatNames.parse("caldera-2")).contains(QuipFormat.caldera(2, QuipFormat.FITTING));
    assertThat(FormatNames.parse("caldera-3-r16")).contains(QuipFormat.caldera(3, 16));
    assertThat(FormatNames.parse("spqr-4")).contains(new SpqrFormat(4, 16));
    assertThat(FormatNames.parse("spqr-3-g8")).contains(new SpqrFormat(3, 8));
    assertThat(FormatNames.parse("nf3-128"))
        .contains(new CodebookFormat(Table.NF3, new BlockScales(128, true)));
    assertThat(FormatNames.parse("e2m1-plain"))
        .contains(new CodebookFormat(Table.E2M1, new BlockScales(64, false)));
  }

  @ParameterizedTest
  @CsvSource({
    "nf5, Did you mean 'nf4'? There are full; nf4[-BLOCK][-plain]; fp4",
    "hqq4, Did you mean 'hqq-4'? There are full",
    "awq, unknown weight format 'awq'. There are full",
    "nf4-100, weight format 'nf4-100': expected a block size of [32",
    "hqq-5, weight format 'hqq-5': expected bits of [8",
    "hqq-2-g12, expected a group size that is a multiple of 8",
    "spqr-5, weight format 'spqr-5': expected bits of [8",
    "spqr-4-g0, expected a group size of 1 or more",
    "int8-g0, expected a group size of 1 or more",
    "nf3-0, expected a block size of 1 or more",
    "int4-9999999, unknown weight format"
  })
  void unknownNamesAreRefusedInWords(String name, String words) {
    assertThatThrownBy(() -> FormatNames.parse(name))
        .isInstanceOf(UnknownFormat.class)
        .hasMessageContaining(words.replace(';', ','));
  }
}
