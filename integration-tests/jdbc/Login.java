import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Base64;

/**
 * Logs in with each JDBC URL that it reads, and tells as whom and where it came in.
 *
 * <p>One line per login, all texts in Base64. In: the URL. Out: {@code in USER DATABASE} or {@code refused REASON}.
 */
public class Login {
  public static void main(String[] arguments) throws IOException {
    var lines = new BufferedReader(new InputStreamReader(System.in, UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      System.out.println(answer(new String(Base64.getDecoder().decode(line), UTF_8)));
    }
  }

  private static String answer(String url) {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT current_user, current_database()")) {
      row.next();
      return "in " + encoded(row.getString(1)) + " " + encoded(row.getString(2));
    } catch (SQLException | RuntimeException refusal) {
      // The driver's parts throw unchecked exceptions, too; the next URL has to be tried all the same.
      return "refused " + encoded(refusal.toString());
    }
  }

  private static String encoded(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(UTF_8));
  }
}
