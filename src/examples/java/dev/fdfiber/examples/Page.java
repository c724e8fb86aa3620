package dev.fdfiber.examples;

import dev.fdfiber.examples.http.Response;

/**
 * {@code GET /}: one page that shows the stream, the long-poll and the batch live at once. It asks
 * nobody but the worker, and puts what comes in as text, never as markup.
 */
final class Page {
  private static final String POLICY =
      "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
          + "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'";

  private static final String STYLE =
      """
      :root {
        color-scheme: light dark;
        --back: #f4f5f7; --card: #fff; --line: #d5d9e0; --text: #1a1f29; --soft: #535c6b;
        --accent: #0b5fce; --on-accent: #fff; --good: #17693a; --bad: #b3261e;
      }
      @media (prefers-color-scheme: dark) {
        :root {
          --back: #12151b; --card: #1b2029; --line: #343c4a; --text: #e8ebf0; --soft: #a9b3c2;
          --accent: #86b7ff; --on-accent: #0b1523; --good: #7fd6a0; --bad: #ff9d94;
        }
      }
      * { box-sizing: border-box; }
      body {
        margin: 0 auto; max-width: 70rem; padding: 1.5rem 1rem 2.5rem;
        background: var(--back); color: var(--text); font: 1rem/1.5 system-ui, sans-serif;
      }
      h1 { margin: 0; font-size: 1.6rem; line-height: 1.25; }
      h2 { margin: 0; font-size: 1.1rem; }
      p { margin: .35rem 0; }
      code, .n { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .92em; }
      .soft { color: var(--soft); }
      .lead { max-width: 46rem; }
      .good { color: var(--good); }
      .bad { color: var(--bad); }
      .cards {
        display: grid; gap: 1rem; margin: 1.25rem 0;
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr));
      }
      section {
        padding: 1rem 1.1rem; min-width: 0;
        background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
      }
      header { display: flex; justify-content: space-between; align-items: center; min-height: 2.75rem; }
      .big { font-size: 2rem; font-weight: 650; line-height: 1.2; font-variant-numeric: tabular-nums; }
      .big small { font-size: .95rem; font-weight: 400; color: var(--soft); }
      ol {
        list-style: none; margin: .75rem 0 0; padding: .6rem 0 0; min-height: 3.5rem;
        border-top: 1px solid var(--line); font-size: .92rem; font-variant-numeric: tabular-nums;
      }
      #events { min-height: 14rem; }
      li { display: flex; justify-content: space-between; gap: .75rem; padding: .08rem 0; }
      button {
        font: inherit; font-weight: 600; padding: .5rem 1rem; min-height: 2.75rem; cursor: pointer;
        border: 1px solid var(--accent); border-radius: .45rem;
        background: var(--accent); color: var(--on-accent);
      }
      button.quiet { background: none; color: var(--accent); padding: .2rem .8rem; }
      button[aria-disabled=true] { opacity: .65; cursor: progress; }
      :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
      a { color: var(--accent); }
      """;

  private static final String BODY =
      """
      <h1>One thread, three things at once</h1>
      <p class="lead soft">A fiber serves each connection, and one thread carries them all. The
      stream goes on while the long-poll waits for its upstream and while the batch computes.</p>
      <noscript><p class="bad">This page needs JavaScript to show anything live.</p></noscript>
      <main class="cards">
        <section aria-labelledby="h-events">
          <header><h2 id="h-events">Events</h2>
            <button class="quiet" id="pause" type="button">Pause</button></header>
          <p class="soft"><code>GET /events</code> parks between events</p>
          <p class="big"><span id="count">0</span> <small>events so far</small></p>
          <p id="stream" role="status" aria-live="polite">connecting</p>
          <ol id="events" aria-label="Latest events"></ol>
        </section>
        <section aria-labelledby="h-poll">
          <header><h2 id="h-poll">Long-poll</h2></header>
          <p class="soft"><code>GET /poll</code> waits on a descriptor</p>
          <p class="big"><span id="elapsed" role="timer" aria-live="off">0.0</span>
            <small>s waiting</small></p>
          <p id="poll" role="status" aria-live="polite">starting</p>
          <ol id="answers" aria-label="Latest answers"></ol>
        </section>
        <section aria-labelledby="h-batch">
          <header><h2 id="h-batch">Batch</h2></header>
          <p class="soft"><code>POST /batch</code> ticks between steps</p>
          <p class="big"><span id="during">0</span> <small>events during the batch</small></p>
          <p><button id="run" type="button">Run a batch</button></p>
          <p id="batch" role="status" aria-live="polite">not run yet</p>
          <ol id="batches" aria-label="Latest batches"></ol>
        </section>
      </main>
      <p class="soft">Who is alive right now: <a href="/fibers">/fibers</a></p>
      """;

  private static final String SCRIPT =
      """
      'use strict';
      const $ = id => document.getElementById(id);
      const sleep = ms => new Promise(done => setTimeout(done, ms));
      const seconds = since => ((performance.now() - since) / 1000).toFixed(1);

      function say(id, text, look) {
        $(id).textContent = text;
        $(id).className = look || '';
      }

      function list(id, left, right) {
        const item = document.createElement('li');
        for (const text of [left, right]) {
          const part = document.createElement('span');
          part.textContent = text;
          item.append(part);
        }
        $(id).prepend(item);
        while ($(id).children.length > 8) $(id).lastChild.remove();
      }

      let source, count = 0, during = 0, batchSince = 0, pollSince = 0;

      function listen() {
        source = new EventSource('/events');
        source.onopen = () => say('stream', 'connected', 'good');
        source.onerror = () => say('stream', 'not connected; trying again', 'bad');
        source.onmessage = message => {
          const event = JSON.parse(message.data);
          $('count').textContent = ++count;
          if (batchSince) $('during').textContent = ++during;
          list('events', '#' + event.n + (event.n > 1 ? ' after ' + event.pausedMillis.toFixed(1)
              + ' ms' : ' at once'), event.fibers + ' fibers');
        };
      }

      $('pause').onclick = () => {
        const paused = source.readyState === EventSource.CLOSED;
        $('pause').textContent = paused ? 'Pause' : 'Resume';
        if (paused) return listen();
        source.close();
        say('stream', 'paused', '');
      };

      async function poll() {
        for (;;) {
          pollSince = performance.now();
          const ms = 1000 + Math.floor(Math.random() * 5000);
          try {
            say('poll', 'waiting for news', '');
            const answer = await fetch('/poll?ms=' + ms);
            const text = answer.status === 204 ? 'no news within 25 s' : await answer.text();
            list('answers', text.trim(), 'waited ' + seconds(pollSince) + ' s');
            if (answer.ok) continue;
            say('poll', 'status ' + answer.status + '; trying again soon', 'bad');
          } catch (gone) {
            say('poll', 'the worker does not answer; trying again', 'bad');
          }
          pollSince = 0;
          await sleep(3000);
        }
      }

      $('run').onclick = async () => {
        if (batchSince) return;
        batchSince = performance.now();
        $('during').textContent = during = 0;
        $('run').setAttribute('aria-disabled', 'true');
        say('batch', 'computing; watch the events go on', '');
        try {
          const answer = await fetch('/batch', {method: 'POST'});
          if (!answer.ok) throw new Error('status ' + answer.status);
          const result = await answer.json();
          say('batch', result.steps + ' steps in ' + result.millis + ' ms; meanwhile others ran '
              + result.resumes + ' times', 'good');
          list('batches', result.millis + ' ms',
              during + ' events, ' + result.resumes + ' resumes');
        } catch (problem) {
          say('batch', 'the batch failed: ' + problem.message, 'bad');
        }
        batchSince = 0;
        $('run').removeAttribute('aria-disabled');
      };

      setInterval(() => {
        $('elapsed').textContent = pollSince ? seconds(pollSince) : '0.0';
      }, 100);
      listen();
      poll();
      """;

  private static final String HTML =
      """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>fdfiber worker</title>
      <link rel="icon" href="data:,">
      <style>
      """
          + STYLE
          + "</style>\n</head>\n<body>\n"
          + BODY
          + "<script>\n"
          + SCRIPT
          + "</script>\n</body>\n</html>\n";

  private Page() {}

  /** The page, the same for everybody. */
  static Response response() {
    return Response.of(200, "text/html; charset=utf-8", HTML)
        .with("Content-Security-Policy", POLICY)
        .with("Cache-Control", "no-cache");
  }
}
