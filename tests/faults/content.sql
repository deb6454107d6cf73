CREATE SCHEMA auth;
CREATE SCHEMA audit;
CREATE TYPE public.severity AS ENUM ('minor', 'major', '重大');
CREATE TABLE public.marker (n int NOT NULL);
CREATE TABLE auth.users (id serial PRIMARY KEY, name text NOT NULL, created timestamptz DEFAULT '2026-01-01');
CREATE TABLE public.knowledge (
  id serial PRIMARY KEY, title text NOT NULL, body text, tags text[], meta jsonb, level public.severity,
  cost numeric(12, 2), photo bytea, author int REFERENCES auth.users (id));
CREATE TABLE audit.log (at timestamptz NOT NULL, what text);
CREATE INDEX knowledge_title ON public.knowledge (title);
CREATE VIEW public.titles AS SELECT id, title FROM public.knowledge;
CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touched BEFORE UPDATE ON public.knowledge FOR EACH ROW EXECUTE FUNCTION public.touch();
INSERT INTO public.marker VALUES (0);
INSERT INTO auth.users (name) SELECT '利用者 ' || n FROM generate_series(1, 20) n;
INSERT INTO public.knowledge (title, body, tags, meta, level, cost, photo, author)
  SELECT '橋梁 ' || n, repeat(md5(n::text), 10), ARRAY['橋', n::text], jsonb_build_object('n', n, 'x', NULL),
         (ARRAY['minor', 'major', '重大'])[1 + n % 3]::public.severity, n * 1.5, decode(md5(n::text), 'hex'), 1 + n % 20
    FROM generate_series(1, 200) n;
UPDATE public.knowledge SET body = '@CANARY@' WHERE id = 3;
INSERT INTO audit.log SELECT '2026-01-01'::timestamptz + n * interval '1 minute', 'e' || n % 3 FROM generate_series(1, 300) n;
SELECT lo_from_bytea(0, decode(repeat('cafe', 1000), 'hex'));
SELECT lo_from_bytea(0, '');
