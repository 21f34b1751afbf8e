import Foundation
import Testing

/// The page, in a real browser.
@Suite(.serialized) struct HTMLTests {
  /// What every script starts with: a page that is open, and ways to look at it.
  private static let opening = #"""
    import json, sys
    from selenium import webdriver
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.support.ui import Select

    options = webdriver.ChromeOptions()
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)

    def run(script, *words): return driver.execute_script("return " + script, *words)
    def cdp(command, **words): return driver.execute_cdp_cmd(command, words)
    def rows(): return [row.text for row in driver.find_elements(By.CSS_SELECTOR, "#list tbody tr") if row.is_displayed()]
    def check(truth, what):
        if not truth: print("not so:", what)
    def finish():
        messages = driver.get_log("browser")
        check(messages == [], f"the console is empty: {messages}")
        requests = run("performance.getEntriesByType('resource').map((entry) => entry.name)")
        check(requests == [], f"nothing is requested: {requests}")
        driver.quit()

    driver.get("file://" + sys.argv[1])

    """#

  /// Runs a script over a page; it prints what is not as it says.
  private func expect(_ page: URL, _ script: String) throws {
    let run = try Command.run(
      ["/usr/bin/python3", "-c", Self.opening + script + "\nfinish()\n", page.path])
    #expect(run.status == 0 && run.output == "", "\(run.output)\(run.errors)")
  }

  /// The page on the README's example program.
  private func example(_ flags: [String] = [], name: String = #function) throws -> URL {
    let file = try Built.folder("html-\(name.prefix { $0 != "(" })").appending(path: "leaks.html")
    let run = try Command.run(
      [Built.tool, "run", "--output", file.path] + flags
        + ["--", Built.products.appending(path: "StatusText").path])
    #expect(run.status == 23 && run.errors == "", "\(run.errors)")
    return file
  }

  /// Builds a program of one C file and returns the page on its run.
  ///
  /// - Parameter symbols: other names for functions, as object files may have them.
  private func page(
    _ source: String, symbols: [String: String], arguments: [String], name: String = #function
  ) throws -> URL {
    let folder = try Built.folder("html-\(name.prefix { $0 != "(" })")
    func write(_ text: String, to name: String) throws {
      try text.write(to: folder.appending(path: name), atomically: false, encoding: .utf8)
    }
    try write(source, to: "program.c")
    try write(symbols.map { "\($0) \($1)\n" }.joined(), to: "symbols")
    for command in [
      [
        "gcc", "-c", "-O0", "-w", "-I", Built.root.appending(path: "Sources/CBSTR/include").path,
        "program.c",
      ],
      ["objcopy", "--redefine-syms=symbols", "program.o"],
      [
        "gcc", "program.o", "-o", "program", "-L", Built.products.path,
        "-l:libbstrtrace-linked.so", "-Wl,-rpath,\(Built.products.path)",
      ],
    ] {
      let run = try Command.run(["/usr/bin/env"] + command, in: folder)
      #expect(run.status == 0, "\(run.errors)")
    }
    let run = try Command.run(
      [Built.tool, "run", "--output", "leaks.html", "--", "./program"] + arguments, in: folder)
    #expect(run.status == 23 && run.errors == "", "\(run.errors)")
    return folder.appending(path: "leaks.html")
  }

  @Test(.needs(.browser), .needs(.selenium)) func theListIsSortedAndFiltered() throws {
    try expect(
      try example(),
      #"""
      check([row.split()[2] for row in rows()] == ["status_text.cpp:59", "status_text.cpp:52"], rows())
      heads = {head.text: head for head in driver.find_elements(By.CSS_SELECTOR, "#list th button")}
      heads["BSTRs"].click()
      check([row.split()[0] for row in rows()] == ["2", "1"], "the most BSTRs come first")
      heads["BSTRs"].click()
      check([row.split()[0] for row in rows()] == ["1", "2"], "then the fewest")
      check(run("document.querySelector('[aria-sort]').ariaSort") == "ascending", "aria-sort")
      search = driver.find_element(By.CSS_SELECTOR, "#filter input")
      search.send_keys("isidle")
      check(len(rows()) == 1 and "isIdle" in rows()[0], rows())
      check(driver.find_element(By.ID, "shown").text == "1 of 2 findings: totals and graphs are of all", "how many are shown")
      check(not driver.find_element(By.ID, "f1").is_displayed(), "what is filtered out has no section")
      search.clear(); search.send_keys("x", Keys.BACKSPACE)
      check(len(rows()) == 2, rows())
      select = driver.find_element(By.CSS_SELECTOR, "#filter select")
      select.send_keys("Rule 2")
      check(len(rows()) == 1 and "Rule 2" in rows()[0], rows())
      """#)
  }

  @Test(.needs(.browser), .needs(.selenium)) func theFlameGraphZoomsAndSearches() throws {
    try expect(
      try example(),
      #"""
      def boxes(): return [box.text for box in driver.find_elements(By.CSS_SELECTOR, ".flame button")]
      def detail(): return driver.find_element(By.ID, "detail").text
      check(detail() == "all: 94 bytes (100 %)", detail())
      check(set(boxes()) == {"all", "main", "announce(Browser&, char16_t const*)", "isIdle(Browser&)",
        "Browser::get_StatusText(char16_t**)"}, boxes())
      what, unit, by = map(Select, driver.find_elements(By.CSS_SELECTOR, "#graph select"))
      unit.select_by_visible_text("BSTRs")
      check(detail() == "all: 4 BSTRs (100 %)", detail())
      what.select_by_visible_text("All allocations")
      check(detail() == "all: 7 BSTRs (100 %)", detail())
      what.select_by_visible_text("Leaked"); by.select_by_visible_text("By owner")
      check("main" not in boxes() and "isIdle(Browser&)" in boxes(), boxes())
      box = [box for box in driver.find_elements(By.CSS_SELECTOR, ".flame button") if box.text.startswith("isIdle")][0]
      box.click()
      check(detail().startswith("isIdle(Browser&), StatusText: 3 BSTRs (75 %)"), detail())
      check(not any(text.startswith("announce") for text in boxes()), boxes())
      check(run("document.activeElement.textContent") == "isIdle(Browser&)", "the box has the focus")
      driver.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
      check(run("document.activeElement.textContent").startswith("Browser::get_"), "the keys move the focus")
      driver.switch_to.active_element.send_keys(Keys.ESCAPE)
      check(run("document.activeElement.textContent") == "all", "Escape shows all")
      driver.find_element(By.CSS_SELECTOR, "#graph input").send_keys("get_Status")
      check(driver.find_element(By.CSS_SELECTOR, "#graph output").text == "found in 75 % of all", "the sum")
      check(len(driver.find_elements(By.CSS_SELECTOR, ".flame .hit")) == 1, "what is found is marked")
      """#)
  }

  @Test(.needs(.browser), .needs(.selenium)) func itFitsEveryWindowAndScheme() throws {
    try expect(
      try example(),
      #"""
      colours = set()
      for scheme in ("light", "dark"):
          cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
          colours.add(run("getComputedStyle(document.body).backgroundColor"))
          for width in (360, 1600):
              cdp("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)
              run("[...document.querySelectorAll('details')].forEach((all) => { all.open = true; })")
              check(run("innerWidth") == width, f"the window has {width} pixels")
              check(run("document.documentElement.scrollWidth") <= width, f"nothing overflows at {width}")
      check(len(colours) == 2, "both schemes")
      """#)
  }

  @Test(.needs(.browser), .needs(.selenium)) func withoutScriptsTheListIsComplete() throws {
    try expect(
      try example(),
      #"""
      cdp("Emulation.setScriptExecutionDisabled", value=True)
      driver.get(driver.current_url)
      check(len(rows()) == 2, rows())
      check(not driver.find_element(By.ID, "filter").is_displayed(), "no form that does nothing")
      check("needs scripts" in driver.find_element(By.ID, "flame").text, "it says so")
      check(driver.find_element(By.ID, "f2").is_displayed(), "the sections are there")
      cdp("Emulation.setScriptExecutionDisabled", value=False)
      """#)
  }

  /// 300 findings, of which 200 are laid out at first.
  @Test(.needs(.browser), .needs(.selenium)) func longListsShowTheFirstRows() throws {
    let numbers = 0..<300
    let file = try page(
      """
      #include <bstr.h>
      \(numbers.map { "void f\($0)(void) { SysAllocStringByteLen(0, \($0 + 1)); }" }.joined(separator: "\n"))
      int main(void) { \(numbers.map { "f\($0)();" }.joined()) return 0; }
      """, symbols: [:], arguments: [])
    try expect(
      file,
      #"""
      def count(): return run("[...document.querySelectorAll('#list tbody tr')].filter((row) => row.checkVisibility()).length")
      def status(): return driver.find_element(By.ID, "shown").text
      check(count() == 200, count())
      check(status() == "200 rows are shown", status())
      driver.find_elements(By.CSS_SELECTOR, "#list th button")[6].click()
      driver.find_elements(By.CSS_SELECTOR, "#list th button")[6].click()
      check(run("document.querySelector('#list tbody td:nth-child(7)').textContent") == "1", "all are sorted")
      search = driver.find_element(By.CSS_SELECTOR, "#filter input")
      search.send_keys("f1")
      check(count() == 111 and status() == "111 of 300 findings: totals and graphs are of all", (count(), status()))
      cdp("Emulation.setDeviceMetricsOverride", width=360, height=800, deviceScaleFactor=1, mobile=False)
      check(count() == 111, "what is filtered out is not shown on a phone, either")
      check(not driver.find_element(By.ID, "f1").is_displayed(), "nor its section")
      cdp("Emulation.clearDeviceMetricsOverride")
      search.clear(); search.send_keys("f", Keys.BACKSPACE)
      check(count() == 200, count())
      check(driver.find_element(By.ID, "more").text == "Show all 300", "how many there are")
      run("document.getElementById('more').click()")
      check(count() == 300 and status() == "", (count(), status()))
      check(not driver.find_element(By.ID, "more").is_displayed(), "there are no more")
      driver.refresh()
      run("dispatchEvent(new Event('beforeprint'))")
      check(count() == 300, "all are printed")
      cdp("Emulation.setScriptExecutionDisabled", value=True)
      driver.get(driver.current_url)
      check(len(rows()) == 300, "without scripts, all are there")
      cdp("Emulation.setScriptExecutionDisabled", value=False)
      """#)
  }

  /// Strings, symbols, arguments and scopes that are markup, and one of 100,000 characters.
  @Test(.needs(.browser), .needs(.selenium)) func whatTheProgramSaysIsText() throws {
    let markup = "<img src=x onerror=document.title=1>"
    let long = String(repeating: "x", count: 100_000)
    let file = try page(
      #"""
      #include <bstr.h>
      #include <bstrtrace.h>
      void __attribute__((noinline)) named(void) { SysAllocString(u"\#(markup)\u202e"); }
      void __attribute__((noinline)) longest(void) { SysAllocString(u"</pre>"); }
      int main(void) {
        bstrtrace_scope scope = bstrtrace_scope_begin("</td>\#(markup)");
        named();
        longest();
        return scope.number == 0;
      }
      """#,
      symbols: [
        "named": "\u{D4E}</script>\u{D4E}<script>document.title=2</script>'\"&amp;\u{202E}",
        "longest": long,
      ], arguments: ["--title=<b>", markup])
    try expect(
      file,
      #"""
      check(driver.title == "program – bstrtrace", driver.title)
      check(run("document.querySelectorAll('img, body b b').length") == 0, "no element is the program's")
      text = run("document.body.textContent")
      check("<img src=x onerror=document.title=1>" in text, "a string is text")
      check("\u0d4e</script>\u0d4e<script>document.title=2</script>'\"&amp;" in text, "a symbol is text")
      check("\u202e" not in text and "\\u{202e}" in text, "the direction stays")
      check("x" * 100000 in text, "a long name is there")
      cdp("Emulation.setDeviceMetricsOverride", width=360, height=800, deviceScaleFactor=1, mobile=False)
      run("[...document.querySelectorAll('details')].forEach((all) => { all.open = true; })")
      check(run("document.documentElement.scrollWidth") <= 360, "nothing overflows")
      for words in (["#filter input", "img"], ["#graph input", "script"]):
          driver.find_element(By.CSS_SELECTOR, words[0]).send_keys(words[1])
      check(run("document.querySelectorAll('img').length") == 0, "nor behind a search")
      """#)
  }

  @Test(.needs(.browser), .needs(.selenium)) func redactedPagesHaveNoValues() throws {
    let text = try String(contentsOf: example(["--redact"]), encoding: .utf8)
    #expect(text.contains("get_StatusText") && !text.contains("Everything has been"))
    #expect(!text.contains("http://") && !text.contains("https://"))
  }
}
