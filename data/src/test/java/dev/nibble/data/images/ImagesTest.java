package dev.nibble.data.images;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.data.Golden;
import java.awt.Transparency;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImagesTest {
  @TempDir Path folder;

  @Tag("golden")
  @ParameterizedTest
  @ValueSource(
      strings = {
        "rgb.png",
        "rgba.png",
        "palette.png",
        "tiny.png",
        "grey.jpg",
        "wide.jpg",
        "tall.jpg"
      })
  void filesAreDecodedAsPillowDoes(String file) throws IOException {
    RgbImage golden = GoldenTensors.of("llava", "processed.safetensors").image("decoded." + file);
    RgbImage image = Images.read(Golden.path("llava", "images", file));
    assertThat(image.width()).isEqualTo(golden.width());
    assertThat(image.height()).isEqualTo(golden.height());
    assertThat(image.samples()).isEqualTo(golden.samples());
  }

  @Tag("golden")
  @Test
  void aCamerasOrientationIsFollowed() throws IOException {
    GoldenTensors golden = GoldenTensors.of("llava", "processed.safetensors");
    RgbImage image = Images.read(Golden.path("llava", "images", "exif.jpg"));
    assertThat(new ImageSize(image.width(), image.height())).isEqualTo(new ImageSize(60, 80));
    ImageProcessor processor = ImageProcessor.of(Golden.path("llava", "model"));
    assertThat(processor.pixels(image, "exif"))
        .isEqualTo(golden.floats("pixel_values_exif.exif.jpg"));
  }

  /** The pixels A B C over D E F, as each orientation shows them. */
  @ParameterizedTest
  @CsvSource({
    "0, ABCDEF, 3", "1, ABCDEF, 3", "2, CBAFED, 3", "3, FEDCBA, 3", "4, DEFABC, 3",
    "5, ADBECF, 2", "6, DAEBFC, 2", "7, FCEBDA, 2", "8, CFBEAD, 2", "9, ABCDEF, 3"
  })
  void everyOrientationTurns(int number, String upright, int width) {
    RgbImage turned = Orientation.of(number).upright(new RgbImage(3, 2, letters("ABCDEF")));
    assertThat(turned.width()).isEqualTo(width);
    assertThat(turned.samples()).isEqualTo(letters(upright));
  }

  private static byte[] letters(String text) {
    byte[] samples = new byte[3 * text.length()];
    for (int i = 0; i < samples.length; i++) {
      samples[i] = (byte) text.charAt(i / 3);
    }
    return samples;
  }

  @Test
  void orientationOfPngsIsFollowedAndBrokenExifSaysNothing() throws IOException {
    byte[] png = png(new BufferedImage(3, 2, BufferedImage.TYPE_INT_RGB));
    byte[] little = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0};
    byte[] big = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0};
    assertThat(Images.decode(withExif(png, little), "little").width()).isEqualTo(2);
    assertThat(Images.decode(withExif(png, big), "big").width()).isEqualTo(2);
    for (int n = 0; n < big.length; n++) {
      assertThat(Images.decode(withExif(png, Arrays.copyOf(big, n)), "cut").width()).isEqualTo(3);
    }
  }

  @Test
  void greysAreRepeatedAsStored() throws IOException {
    BufferedImage grey = new BufferedImage(256, 1, BufferedImage.TYPE_BYTE_GRAY);
    BufferedImage bits = new BufferedImage(2, 1, BufferedImage.TYPE_BYTE_BINARY);
    for (int x = 0; x < 256; x++) {
      grey.getRaster().setSample(x, 0, 0, x);
    }
    bits.getRaster().setSample(1, 0, 0, 1);
    byte[] samples = Images.decode(png(grey), "grey").samples();
    for (int i = 0; i < samples.length; i++) {
      assertThat(samples[i]).isEqualTo((byte) (i / 3));
    }
    assertThat(Images.decode(png(bits), "bits").samples()).containsExactly(0, 0, 0, -1, -1, -1);
  }

  @Test
  void greyOfSixteenBitsIsRefused() throws IOException {
    byte[] png = png(new BufferedImage(2, 2, BufferedImage.TYPE_USHORT_GRAY));
    assertThatThrownBy(() -> Images.decode(png, "deep.png"))
        .isInstanceOf(InvalidImage.class)
        .hasMessageStartingWith("deep.png: is grey with 16 bits a pixel");
  }

  @Test
  void coloursOfSixteenBitsKeepTheirHighByte() throws IOException {
    var model =
        new ComponentColorModel(
            ColorSpace.getInstance(ColorSpace.CS_sRGB),
            false,
            false,
            Transparency.OPAQUE,
            DataBuffer.TYPE_USHORT);
    WritableRaster raster = model.createCompatibleWritableRaster(1, 1);
    raster.setPixel(0, 0, new int[] {0x01FF, 0x8000, 0xFEFF});
    byte[] png = png(new BufferedImage(model, raster, false, null));
    assertThat(Images.decode(png, "deep.png").samples())
        .containsExactly((byte) 0x01, (byte) 0x80, (byte) 0xFE);
  }

  @Test
  void jpegsOfRedGreenAndBlueAreNotConverted() throws IOException {
    byte[] samples = Images.decode(resource("rgb_components.jpg"), "rgb.jpg").samples();
    assertThat(samples).startsWith((byte) 200, (byte) 30, (byte) 90);
  }

  @Test
  void jpegsForPrintAreRefused() throws IOException {
    byte[] print = resource("cmyk.jpg");
    assertThatThrownBy(() -> Images.decode(print, "print.jpg"))
        .isInstanceOf(InvalidImage.class)
        .hasMessage("print.jpg: is a JPEG image of 4 components, as for print. Convert it to RGB.");
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = ImagesTest.class.getResourceAsStream("/images/" + name)) {
      return Objects.requireNonNull(in, name).readAllBytes();
    }
  }

  /** Some bytes that declare 60,000 pixels in each direction. */
  @Test
  void whatDeclaresTooManyPixelsIsRefusedUndecoded() throws IOException {
    byte[] png = png(new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB));
    ByteBuffer.wrap(png).putInt(16, 60_000).putInt(20, 60_000);
    assertThatThrownBy(() -> Images.decode(png, "bomb.png"))
        .isInstanceOf(InvalidImage.class)
        .hasMessage(
            "bomb.png: is declared to have 60000 x 60000 pixels; images of at most 67,108,864 pixels are decoded");
  }

  @ParameterizedTest
  @ValueSource(strings = {"rgb.png", "palette.png", "wide.jpg", "tall.jpg"})
  void aFileThatIsCutAnywhereIsAnErrorThatNamesIt(String name) throws IOException {
    byte[] whole = Files.readAllBytes(Golden.path("llava", "images", name));
    for (int n = 0; n < whole.length - 12; n += 61) {
      byte[] cut = Arrays.copyOf(whole, n);
      assertThatThrownBy(() -> Images.decode(cut, name))
          .isInstanceOf(InvalidImage.class)
          .hasMessageStartingWith(name + ": ");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"rgb.png", "palette.png", "wide.jpg", "tall.jpg", "exif.jpg"})
  void aFileWithAWrongByteIsDecodedOrAnErrorThatNamesIt(String name) throws IOException {
    byte[] whole = Files.readAllBytes(Golden.path("llava", "images", name));
    for (int at = 0; at < whole.length; at += at < 200 ? 1 : 37) {
      byte[] wrong = whole.clone();
      wrong[at] ^= (byte) 0x55;
      try {
        assertThat(Images.decode(wrong, name).width()).isPositive();
      } catch (InvalidImage e) {
        assertThat(e).hasMessageStartingWith(name + ": ");
      }
    }
  }

  @Test
  void otherFilesAreRefused() throws IOException {
    Path text = Files.writeString(folder.resolve("a.gif"), "GIF89a and more");
    assertThatThrownBy(() -> Images.read(text))
        .isInstanceOf(InvalidImage.class)
        .hasMessage(text + ": is neither a PNG nor a JPEG image. Convert it to one.");
    assertThatThrownBy(() -> Images.read(folder))
        .isInstanceOf(InvalidImage.class)
        .hasMessage(folder + ": is not a file");
    Path missing = folder.resolve("none.png");
    assertThatThrownBy(() -> Images.read(missing))
        .isInstanceOf(InvalidImage.class)
        .hasMessage(missing + ": there is no such image");
  }

  private static byte[] png(BufferedImage image) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    assertThat(ImageIO.write(image, "png", out)).isTrue();
    return out.toByteArray();
  }

  /** With a chunk of EXIF data after the header. */
  private static byte[] withExif(byte[] png, byte[] exif) {
    byte[] typed = new byte[4 + exif.length];
    System.arraycopy("eXIf".getBytes(StandardCharsets.US_ASCII), 0, typed, 0, 4);
    System.arraycopy(exif, 0, typed, 4, exif.length);
    CRC32 sum = new CRC32();
    sum.update(typed);
    return ByteBuffer.allocate(png.length + 12 + exif.length)
        .put(png, 0, 33)
        .putInt(exif.length)
        .put(typed)
        .putInt((int) sum.getValue())
        .put(png, 33, png.length - 33)
        .array();
  }
}
