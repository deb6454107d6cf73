CREATE SCHEMA auth;
CREATE SCHEMA audit;
CREATE TYPE public.severity AS ENUM ('minor', 'major', '重大');
CREATE TABLE auth.users (id serial PRIMARY KEY, name text NOT NULL, created timestamptz DEFAULT now());
CREATE TABLE public.knowledge (
  id serial PRIMARY KEY, title text NOT NULL, body text, tags text[], meta jsonb, level public.severity,
  cost numeric(12, 2), photo bytea, author int REFERENCES auth.users (id));
CREATE TABLE audit.log (at timestamptz NOT NULL, what text);
CREATE INDEX knowledge_title ON public.knowledge (title);
CREATE VIEW public.titles AS SELECT id, title FROM public.knowledge;
INSERT INTO auth.users (name) SELECT '利用者 ' || n FROM generate_series(1, 20) n;
INSERT INTO public.knowledge (title, body, tags, meta, level, cost, photo, author)
  SELECT '橋梁 ' || n, repeat(md5(n::text), 40), ARRAY['橋', n::text], jsonb_build_object('n', n, 'x', NULL),
         (ARRAY['minor', 'major', '重大'])[1 + n % 3]::public.severity, n * 1.5, decode(md5(n::text), 'hex'), 1 + n % 20
    FROM generate_series(1, 400) n;
INSERT INTO audit.log SELECT '2026-01-01'::timestamptz + n * interval '1 minute', 'e' || n % 3 FROM generate_series(1, 900) n;
SELECT lo_from_bytea(0, decode(repeat('cafe', 1000), 'hex'));
